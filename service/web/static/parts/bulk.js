// Choosing many things of a list, and what to do with them.

import { h } from "../lib/dom.js";
import { number } from "../lib/formats.js";
import { count, say } from "../lib/words.js";
import { begin } from "./job.js";

const NUMBERS = new Set(["expiring"]);

export class Bulk {
  // `kind`: the API's `path`, the `actions`, a `hint`'s word, and `named(keys)`, the body's part about those chosen.
  // `scope()` answers the filter in force and how many match it, if that is known.
  constructor(kind, scope, { changed, done }) {
    Object.assign(this, { kind, scope, changed, done, chosen: new Set(), all: false });
  }

  choose(keys, on) {
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
    const whom = this.all ? { filter: filterOf(this.scope().filter) } : this.kind.named([...this.chosen]);
    begin(this.kind.path, action, whom, () => {
      this.clear();
      this.done();
    });
  }
}

// As the body takes it, where a number is no text.
function filterOf(query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return Object.fromEntries(given.map(([name, value]) => [name, NUMBERS.has(name) ? Number(value) : value]));
}
