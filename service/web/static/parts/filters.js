// Search and filters above a list. They live in the address, so that a view can be sent to somebody.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { say } from "../lib/words.js";

const TYPING_MS = 250;
let typing = 0;

// `set(changes)` is called with what changed, for what is typed after a pause.
export function filters(query, fields, set) {
  const given = fields.some((field) => query[field.name]);
  const none = Object.fromEntries(fields.map((field) => [field.name, ""]));
  return h(
    "form",
    { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
    fields.map((field) =>
      h(
        "label",
        { key: field.name, class: field.kind ?? null },
        h("span", { class: field.kind === "search" ? "unseen" : "label" }, field.label),
        control(field, query[field.name] ?? "", set),
      ),
    ),
    h(
      "button",
      { key: "clear", type: "button", class: "plain", disabled: !given, onclick: () => set(none) },
      say("filter.clear"),
    ),
  );
}

function control(field, value, set) {
  if (field.options)
    return h(
      "select",
      { value, onchange: (event) => set({ [field.name]: event.target.value }) },
      h("option", { value: "" }, say("filter.all")),
      field.options.map(([word, text]) => h("option", { key: word, value: word }, text)),
    );
  const typed = (event) => {
    clearTimeout(typing);
    const { value: text } = event.target;
    typing = setTimeout(() => set({ [field.name]: text.trim() }), TYPING_MS);
  };
  if (field.kind === "search")
    return h(
      "span",
      { class: "with-icon" },
      icon("search"),
      h("input", {
        type: "search",
        value,
        placeholder: field.label,
        spellcheck: "false",
        autocomplete: "off",
        oninput: typed,
      }),
    );
  const change = (event) => set({ [field.name]: event.target.value });
  if (field.kind === "time") return h("input", { type: "datetime-local", value, step: "1", onchange: change });
  return h("input", {
    type: "text",
    value,
    list: field.list ?? null,
    spellcheck: "false",
    autocomplete: "off",
    oninput: typed,
  });
}
