// Language and theme.

import { h } from "../lib/dom.js";
import { preference, remember } from "../lib/prefs.js";
import { locale, say } from "../lib/words.js";

// `changed` is called after a choice.
export function choices(changed) {
  const choose = (name) => (event) => {
    remember(name, event.target.value || null);
    changed();
  };
  return h(
    "div",
    { class: "choices" },
    h(
      "label",
      {},
      h("span", { class: "label" }, say("language")),
      h(
        "select",
        { id: "language", value: locale(), onchange: choose("locale") },
        h("option", { value: "pt-BR", lang: "pt-BR" }, "Português"),
        h("option", { value: "en", lang: "en" }, "English"),
      ),
    ),
    h(
      "label",
      {},
      h("span", { class: "label" }, say("theme")),
      h(
        "select",
        { id: "theme", value: preference("theme") ?? "", onchange: choose("theme") },
        h("option", { value: "" }, say("theme.system")),
        h("option", { value: "light" }, say("theme.light")),
        h("option", { value: "dark" }, say("theme.dark")),
      ),
    ),
  );
}
