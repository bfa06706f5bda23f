// How full the pool is, now and over time.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { duration, number, percent } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { Curve } from "../../parts/curve.js";
import { empty, failed } from "../../parts/states.js";

const RANGES = { hour: 3600, day: 86400, week: 604800, month: 2592000 };
const POINTS = 240;
const AGAIN_MS = 60000;

export const toneOf = (utilization) => (utilization >= 90 ? "bad" : utilization >= 80 ? "warn" : "good");

// A bar with the bounds marked; over 100 % it is full and says so.
export function meter(utilization, label) {
  const fill = h("i", { class: toneOf(utilization) });
  fill.style.width = `${Math.min(100, Math.max(0, utilization))}%`;
  return h("span", { class: "meter", role: "img", "aria-label": `${label} ${percent(utilization)}` }, fill);
}

export class Usage {
  constructor(changed, signal) {
    const shown = { range: "day", group: "" };
    Object.assign(this, { changed, signal, shown, known: false, problem: null, curve: new Curve(changed) });
    const timer = setInterval(() => this.load(), AGAIN_MS);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    this.load();
  }

  async load() {
    const { shown } = this;
    const { range, group } = shown;
    const until = Date.now();
    const since = until - RANGES[range] * 1000;
    const query = {
      from: new Date(since).toISOString(),
      to: new Date(until).toISOString(),
      step: Math.ceil(RANGES[range] / POINTS),
      group,
    };
    try {
      const found = await get("/stats/history", query, this.signal);
      if (shown !== this.shown) return;
      const points = found.points.map((point) => [Date.parse(point.at), point.utilization]);
      this.curve.show(points, since, until, Math.max(found.step, 60) * 3000);
      Object.assign(this, { known: true, problem: null });
    } catch (error) {
      if (this.signal.aborted || shown !== this.shown) return;
      this.problem = error;
    }
    this.changed();
  }

  choose(wish) {
    this.shown = { ...this.shown, ...wish };
    this.changed();
    this.load();
  }

  view(stats) {
    return h(
      "section",
      { key: "usage", class: `card usage ${toneOf(stats.utilization)}` },
      h(
        "div",
        { class: "head" },
        h("h2", {}, say("usage")),
        groupChoice(stats, this.shown.group, (group) => this.choose({ group })),
        ranges(this.shown.range, (range) => this.choose({ range })),
      ),
      h(
        "div",
        { class: "row" },
        h("p", { class: "hero" }, percent(stats.utilization)),
        h(
          "p",
          { class: "note" },
          say("usage.note", { used: number(stats.used), usable: number(stats.total - stats.disabled) }),
          h("br"),
          h("strong", {}, say("usage.left", { available: number(stats.available) })),
        ),
      ),
      meter(stats.utilization, say("usage")),
      h("div", { class: "curve-place" }, this.picture()),
      h("p", { class: "hint eta" }, stats.etaSeconds > 0 && say("usage.eta", { time: duration(stats.etaSeconds) })),
    );
  }

  picture() {
    const { known, problem, curve } = this;
    if (problem) return failed(problem, () => this.load());
    if (!known) return null;
    return curve.points.length ? curve.view() : empty(say("curve.none"), say("curve.noneHint"));
  }
}

// Of whose usage the curve is.
function groupChoice(stats, chosen, choose) {
  const names = Object.keys(stats.groups).filter(Boolean).sort();
  if (!names.length) return null;
  if (chosen && !names.includes(chosen)) names.unshift(chosen);
  return h(
    "select",
    { "aria-label": say("column.group"), onchange: (event) => choose(event.target.value) },
    h("option", { key: "", value: "", selected: !chosen }, say("usage.everyGroup")),
    names.map((name) => h("option", { key: name, value: name, selected: name === chosen }, name)),
  );
}

function ranges(chosen, choose) {
  return h(
    "div",
    { class: "segments", role: "group", "aria-label": say("range") },
    Object.keys(RANGES).map((range) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(range === chosen), onclick: () => choose(range) },
        say(`range.${range}`),
      ),
    ),
  );
}
