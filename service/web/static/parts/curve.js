// A line over time with its bounds, and the value under the pointer or the arrow keys.

import { h, svg } from "../lib/dom.js";
import { clock, date, percent } from "../lib/formats.js";
import { say } from "../lib/words.js";

const WIDTH = 600;
const HEIGHT = 160;
const BOUNDS = [
  [80, "warn"],
  [90, "bad"],
];
const MARKS = [0, 0.25, 0.5, 0.75, 1];
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const DAY_MS = 86400000;

export class Curve {
  // `changed` is called when the reader points at another moment.
  constructor(changed) {
    Object.assign(this, { changed, points: [], moment: null });
  }

  // `points`: [ms, percent], in order, from `since` to `until` (ms); those more than `gap` (ms) apart are not joined.
  // More than 100 % is drawn as high as it is.
  show(points, since, until, gap) {
    Object.assign(this, { points, since, until, gap });
  }

  tell(moment) {
    this.moment = moment;
    this.changed();
  }

  // Of at least one point.
  view() {
    const { points, since, until, moment } = this;
    const point = moment === null ? null : points[nearest(points, moment)];
    return h(
      "figure",
      { class: "curve" },
      h(
        "output",
        { class: "told", "aria-live": "polite" },
        point && `${date(point[0])} ${clock(point[0])} · ${percent(point[1])}`,
      ),
      this.plot(point),
      h(
        "div",
        { class: "axis", "aria-hidden": "true" },
        MARKS.map((part) => h("span", {}, label(since + part * (until - since), until - since))),
      ),
    );
  }

  plot(point) {
    const { points, since, until, gap } = this;
    const top = Math.max(100, ...points.map(([, value]) => value));
    const x = (at) => (((at - since) / (until - since)) * WIDTH).toFixed(1);
    const y = (value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1);
    const line = points.map(([at, value], index) => {
      const joined = index > 0 && at - points[index - 1][0] <= gap;
      return `${joined ? "L" : "M"}${x(at)} ${y(value)}${joined ? "" : "h0"}`;
    });
    const scale = BOUNDS.map(([value, tone]) => {
      const mark = h("span", { class: tone }, percent(value, 0));
      mark.style.top = `${(y(value) / HEIGHT) * 100}%`;
      return mark;
    });
    return h(
      "div",
      {
        class: "plot",
        tabindex: "0",
        role: "img",
        "aria-label": summary(points),
        onpointermove: (event) => this.point(event),
        onpointerleave: () => this.tell(null),
        onblur: () => this.tell(null),
        onkeydown: (event) => this.walk(event),
      },
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        BOUNDS.map(([value, tone]) =>
          svg("line", { class: `bound ${tone}`, x1: 0, x2: WIDTH, y1: y(value), y2: y(value) }),
        ),
        svg("path", { class: "line", d: line.join("") }),
        point && svg("line", { class: "marker", x1: x(point[0]), x2: x(point[0]), y1: 0, y2: HEIGHT }),
      ),
      h("div", { class: "scale", "aria-hidden": "true" }, scale),
    );
  }

  point({ clientX, currentTarget }) {
    const box = currentTarget.getBoundingClientRect();
    this.tell(this.since + ((clientX - box.left) / box.width) * (this.until - this.since));
  }

  walk(event) {
    const { points, moment } = this;
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const next = moment === null ? points.length - 1 : nearest(points, moment) + STEPS[event.key];
    this.tell(points[Math.min(points.length - 1, Math.max(0, next))][0]);
  }
}

const label = (moment, span) => (span > 2 * DAY_MS ? date(moment) : clock(moment));

function summary(points) {
  const values = points.map(([, value]) => value);
  return say("curve.summary", {
    last: percent(values.at(-1)),
    least: percent(Math.min(...values)),
    most: percent(Math.max(...values)),
  });
}

function nearest(points, moment) {
  let best = 0;
  for (const [index, [at]] of points.entries())
    if (Math.abs(at - moment) < Math.abs(points[best][0] - moment)) best = index;
  return best;
}
