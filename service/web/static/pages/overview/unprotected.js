// Who is open without an applied proxy: the figure that matters most, by name.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { number } from "../../lib/formats.js";
import { icon } from "../../lib/icons.js";
import { live, moved } from "../../lib/live.js";
import { link } from "../../lib/router.js";
import { say } from "../../lib/words.js";
import { tile } from "./figures.js";

const SHOWN = 5;
const PAUSE_MS = 2000;

export class Unprotected {
  constructor(changed, signal) {
    Object.assign(this, { changed, signal, items: [] });
    moved(() => this.load(), PAUSE_MS, signal);
    this.load();
  }

  async load() {
    if (live.stats?.unprotected === 0) return (this.items = []);
    try {
      this.items = (await get("/instances", { list: "unprotected", limit: SHOWN }, this.signal)).items;
    } catch (error) {
      if (this.signal.aborted) return;
      console.info("no names of the unprotected:", error.message); // the next figures ask anew
    }
    this.changed();
  }

  view(stats) {
    const some = stats.unprotected > 0;
    const open = stats.instances.open ?? 0;
    const state = (name) =>
      tile(say(`figure.${name}`), stats.instances[name] ?? 0, { href: link("instances", { state: name }) });
    return h(
      "section",
      { key: "unprotected", class: `card unprotected ${some ? "bad" : "good"}` },
      h("h2", {}, say("unprotected")),
      h(
        "div",
        { class: "row" },
        h("p", { class: "hero" }, number(stats.unprotected)),
        h("p", { class: "note" }, say("unprotected.note"), h("br"), say("unprotected.of", { open: number(open) })),
      ),
      some
        ? this.names(stats)
        : h("div", { class: "calm" }, icon("good"), h("p", {}, say(open ? "unprotected.none" : "unprotected.nobody"))),
      h("div", { class: "tiles" }, ["open", "connecting", "close"].map(state)),
    );
  }

  names(stats) {
    const more = stats.unprotected - this.items.length;
    return h(
      "div",
      { class: "names" },
      h(
        "ul",
        {},
        this.items.map((one) =>
          h(
            "li",
            { key: `${one.server}/${one.id}` },
            h("a", { href: link("instances", { open: one.name, at: one.server }) }, one.name),
            h("span", { class: "hint" }, one.server),
          ),
        ),
      ),
      h(
        "a",
        { href: link("instances", { list: "unprotected" }) },
        more > 0 && this.items.length ? say("unprotected.more", { count: number(more) }) : say("unprotected.all"),
      ),
    );
  }
}
