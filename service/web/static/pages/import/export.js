// Taking the pool out as a file.

import { file } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { save } from "../../lib/save.js";
import { say } from "../../lib/words.js";
import { confirm, field } from "../../parts/dialog.js";
import { STATUSES } from "../../parts/badges.js";
import { refusal } from "../../parts/states.js";

const FORMATS = ["lines", "csv", "json", "ndjson"];

// `changed` is called when it has begun and when it is over.
export function exporting(changed, signal) {
  const state = { busy: false, problem: null };

  // In the browser's own store, which holds a million proxies.
  async function take(query) {
    const { content, name } = await file("/export", query, signal);
    save(content, name);
  }

  async function takeHere(query) {
    Object.assign(state, { busy: true, problem: null });
    changed();
    try {
      await take(query);
    } catch (error) {
      state.problem = error;
    }
    state.busy = false;
    if (!signal.aborted) changed();
  }

  function submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    const query = {
      format: form.get("format"),
      status: form.get("status"),
      group: form.get("group"),
      secrets: form.has("secrets") ? "true" : "",
    };
    if (!query.secrets) return takeHere(query);
    confirm({
      title: say("export.secrets"),
      content: h("p", {}, say("export.confirm")),
      action: say("export.now"),
      danger: true,
      act: () => take(query),
    });
  }

  return {
    view: () =>
      h(
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
          refusal(state.problem),
          h(
            "div",
            { class: "actions" },
            h("button", { id: "export", type: "submit", disabled: state.busy }, say("export.now")),
          ),
        ),
      ),
  };
}
