// A line over time with its bounds, and the value under the pointer or the arrow keys.

import { draw, h, svg } from "../lib/dom.js";
import { clock, date, percent } from "../lib/formats.js";
import { say } from "../lib/words.js";

const WIDTH = 600;
const HEIGHT = 160;
const BOUNDS = [
  [80, "warn"],
  [90, "bad"],
];

// `points`: [ms, percent], in order, from `since` to `until` (ms). More than 100 % is drawn as high as it is.
export function curve(points, since, until, gap) {
  const top = Math.max(100, ...points.map(([, value]) => value));
  const x = (at) => ((at - since) / (until - since)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  const joined = (index) => index > 0 && points[index][0] - points[index - 1][0] <= gap;
  const place = ([at, value], index) =>
    `${joined(index) ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}${joined(index) ? "" : "h0"}`;
  const marker = svg("line", { class: "marker", visibility: "hidden", y1: 0, y2: HEIGHT });
  const told = h("output", { class: "told", "aria-live": "polite" });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    BOUNDS.map(([value, tone]) =>
      svg("line", { class: `bound ${tone}`, x1: 0, x2: WIDTH, y1: y(value), y2: y(value) }),
    ),
    svg("path", { class: "line", d: points.map(place).join("") }),
    marker,
  );
  const plot = h(
    "div",
    { class: "plot", tabindex: "0", role: "img", "aria-label": summary(points) },
    picture,
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      BOUNDS.map(([value, tone]) => {
        const mark = h("span", { class: tone }, `${value} %`);
        mark.style.top = `${(y(value) / HEIGHT) * 100}%`;
        return mark;
      }),
    ),
  );
  const tell = (index) => {
    const point = points[index];
    marker.setAttribute("visibility", point ? "visible" : "hidden");
    for (const end of ["x1", "x2"]) marker.setAttribute(end, point ? x(point[0]) : 0);
    draw(told, point ? `${date(point[0])} ${clock(point[0])} · ${percent(point[1])}` : "");
    at = point ? index : -1;
  };
  let at = -1;
  plot.onpointermove = (event) => {
    const box = plot.getBoundingClientRect();
    const moment = since + ((event.clientX - box.left) / box.width) * (until - since);
    tell(nearest(points, moment));
  };
  plot.onpointerleave = () => tell(-1);
  plot.onblur = () => tell(-1);
  plot.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !points.length) return;
    event.preventDefault();
    tell(at < 0 ? points.length - 1 : Math.min(points.length - 1, Math.max(0, at + step)));
  };
  return h(
    "figure",
    { class: "curve", "data-own": "" },
    told,
    plot,
    h(
      "div",
      { class: "axis", "aria-hidden": "true" },
      [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, label(since + part * (until - since), until - since))),
    ),
  );
}

const label = (moment, span) => (span > 2 * 86400000 ? date(moment) : clock(moment));

function summary(points) {
  if (!points.length) return say("curve.none");
  const values = points.map(([, value]) => value);
  return say("curve.summary", {
    last: percent(values.at(-1)),
    least: percent(Math.min(...values)),
    most: percent(Math.max(...values)),
  });
}

function nearest(points, moment) {
  let best = -1;
  for (const [index, [at]] of points.entries())
    if (best < 0 || Math.abs(at - moment) < Math.abs(points[best][0] - moment)) best = index;
  return best;
}
