// Search and filters above a list. They live in the address, so that a view can be sent to somebody.

import { h } from "../lib/dom.js";
import { local } from "../lib/formats.js";
import { icon } from "../lib/icons.js";
import { live } from "../lib/live.js";
import { say } from "../lib/words.js";

const TYPING_MS = 250;
const BESIDE = new Set(["open", "at"]); // what the drawer shows
let typing = 0;

// `set(changes)` is called with what changed, for what is typed after a pause or when the field is left.
export function filters(query, fields, set) {
  const given = Object.keys(query).filter((name) => !BESIDE.has(name));
  const clear = (event) => {
    const first = event.target.form.elements[0];
    first.value = "";
    first.focus(); // the button goes
    set(Object.fromEntries(given.map((name) => [name, ""])));
  };
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
      { key: "clear", type: "button", class: "plain", disabled: !given.length, onclick: clear },
      say("filter.clear"),
    ),
  );
}

// Where there is more than one.
export function serverField() {
  const servers = live.stats?.servers ?? [];
  const options = servers.map(({ name }) => [name, name]);
  return servers.length > 1 ? [{ name: "server", label: say("column.server"), options }] : [];
}

function control(field, value, set) {
  const { name, kind, label, options } = field;
  const change = (text) => {
    clearTimeout(typing);
    if (text !== value) set({ [name]: text });
  };
  if (options) {
    const shown = !value || options.some(([word]) => word === value) ? options : [...options, [value, value]];
    return h(
      "select",
      { value, onchange: (event) => change(event.target.value) },
      h("option", { value: "" }, say("filter.all")),
      shown.map(([word, text]) => h("option", { key: word, value: word }, text)),
    );
  }
  if (kind === "time")
    return h("input", {
      type: "datetime-local",
      value: local(value),
      step: "1",
      onchange: (event) => change(event.target.value && new Date(event.target.value).toISOString()),
    });
  const input = h("input", {
    type: kind ?? "text",
    value,
    placeholder: kind ? label : null,
    spellcheck: "false",
    autocomplete: "off",
    oninput: (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => change(event.target.value.trim()), TYPING_MS);
    },
    onchange: (event) => change(event.target.value.trim()),
  });
  return kind ? h("span", { class: "with-icon" }, icon("search"), input) : input;
}
