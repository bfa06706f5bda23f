// Choosing many things of a list, and what to do with them.

import { h } from "../lib/dom.js";
import { number } from "../lib/formats.js";
import { count, say } from "../lib/words.js";
import { begin } from "./job.js";

const NUMBERS = new Set(["expiring"]);

export class Bulk {
  // `kind`: the API's `path`, the `actions`, the `filters` that they take, a `hint`'s word, and `named(keys)`, the part
  // of the body about those chosen. `scope()` answers the `query` in force and the `total` that matches it, if that is known.
  constructor(kind, scope, { changed, done }) {
    Object.assign(this, { kind, scope, changed, done, chosen: new Set(), all: false });
  }

  choose(keys, on) {
    this.all = false;
    for (const key of keys)
      if (on) this.chosen.add(key);
      else this.chosen.delete(key);
    this.changed();
  }

  bar() {
    const { chosen, kind } = this;
    if (!chosen.size) this.all = false;
    const { total } = this.scope();
    const told = this.all
      ? total === null
        ? say("bulk.allMatching")
        : count("bulk.chosen", total, number(total))
      : count("bulk.chosen", chosen.size, number(chosen.size));
    return h(
      "div",
      { key: "bulk", class: `bulk ${chosen.size ? "on" : ""}` },
      h("p", { role: "status" }, chosen.size ? told : say(kind.hint)),
      chosen.size > 0 &&
        !this.all &&
        h("button", { type: "button", class: "plain", onclick: () => this.chooseAll() }, say("bulk.all")),
      h(
        "label",
        { class: "act" },
        h("span", { class: "unseen" }, say("bulk.action")),
        h(
          "select",
          { id: "bulk", disabled: !chosen.size, value: "", onchange: (event) => this.act(event.target) },
          h("option", { value: "" }, say("bulk.action")),
          kind.actions.map((action) => h("option", { key: action, value: action }, say(`bulk.${action}`))),
        ),
      ),
      chosen.size > 0 &&
        h("button", { type: "button", class: "plain", onclick: () => this.clear() }, say("bulk.clear")),
    );
  }

  chooseAll() {
    this.all = true;
    this.changed();
  }

  clear() {
    this.chosen.clear();
    this.changed();
  }

  act(select) {
    const action = select.value;
    select.value = "";
    if (!action) return;
    const { path, filters, named } = this.kind;
    const whom = this.all ? { filter: filterOf(filters, this.scope().query) } : named([...this.chosen]);
    begin(path, action, whom, () => {
      this.clear();
      this.done();
    });
  }
}

// As the body takes it, where a number is no text.
function filterOf(names, query) {
  const given = names.filter((name) => query[name]);
  return Object.fromEntries(given.map((name) => [name, NUMBERS.has(name) ? Number(query[name]) : query[name]]));
}
