// The last events, each with its object a click away.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { moved } from "../../lib/live.js";
import { link } from "../../lib/router.js";
import { say } from "../../lib/words.js";
import { entry } from "../../parts/event.js";
import { empty, failed, waiting } from "../../parts/states.js";

const SHOWN = 12;
const PAUSE_MS = 3000;
const LEVELS = ["info", "warning", "error"];

export class Latest {
  constructor(changed, signal) {
    Object.assign(this, { changed, signal, items: null, problem: null, level: "" });
    moved(() => this.load(), PAUSE_MS, signal); // something has happened, and the mirror tells of it a moment later
    this.load();
  }

  async load() {
    const { level } = this;
    try {
      const page = await get("/events", { limit: SHOWN, ...(level ? { level } : { minLevel: "info" }) }, this.signal);
      if (level !== this.level) return;
      this.items = page.items;
      this.problem = null;
    } catch (error) {
      if (this.signal.aborted) return;
      this.problem = error;
    }
    this.changed();
  }

  choose(level) {
    this.level = level;
    this.items = null;
    this.changed();
    this.load();
  }

  view() {
    const level = (word) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(this.level === word), onclick: () => this.choose(word) },
        say(word ? `level.${word}` : "filter.all"),
      );
    return h(
      "section",
      { key: "latest", class: "card latest" },
      h(
        "div",
        { class: "head" },
        h("h2", {}, say("latest")),
        h("div", { class: "segments", role: "group", "aria-label": say("column.level") }, ["", ...LEVELS].map(level)),
      ),
      this.problem && failed(this.problem),
      !this.items
        ? !this.problem && waiting(SHOWN)
        : this.items.length
          ? h("ol", { class: "events" }, this.items.map(entry))
          : empty(say("latest.none")),
      h("p", {}, h("a", { href: link("audit", { level: this.level }) }, say("latest.all"))),
    );
  }
}
