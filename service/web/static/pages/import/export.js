// Taking the pool out as a file.

import { url } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { say } from "../../lib/words.js";
import { confirm, field } from "../../parts/dialog.js";
import { STATUSES } from "../../parts/badges.js";

const FORMATS = ["lines", "csv", "json", "ndjson"];

export function exporting() {
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const query = {
      format: form.get("format"),
      status: form.get("status"),
      group: form.get("group"),
      secrets: form.has("secrets") ? "true" : "",
    };
    if (!query.secrets) return download(query);
    confirm({
      title: say("export.secrets"),
      content: h("p", {}, say("export.confirm")),
      action: say("export.now"),
      danger: true,
      act: async () => download(query),
    });
  };
  return h(
    "section",
    { key: "export", class: "card" },
    h("h2", {}, say("export.title")),
    h(
      "form",
      { onsubmit: submit },
      h(
        "div",
        { class: "fields" },
        field(
          say("export.format"),
          h(
            "select",
            { id: "format", name: "format" },
            FORMATS.map((name) => h("option", { value: name }, say(`export.${name}`))),
          ),
        ),
        field(
          say("column.status"),
          h(
            "select",
            { name: "status" },
            h("option", { value: "" }, say("filter.all")),
            STATUSES.map((status) => h("option", { value: status }, say(`status.${status}`))),
          ),
        ),
        field(say("column.group"), h("input", { name: "group", autocomplete: "off" })),
      ),
      h(
        "label",
        { class: "check" },
        h("input", { type: "checkbox", name: "secrets" }),
        h("span", {}, say("export.secrets"), h("span", { class: "hint" }, say("export.secretsHint"))),
      ),
      h("div", { class: "actions" }, h("button", { id: "export", type: "submit" }, say("export.now"))),
    ),
  );
}

// The browser's own download, which shows its progress and holds a million proxies.
function download(query) {
  const anchor = h("a", { href: url("/export", query), download: "" });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
