// How far something is, from 0 to 1, or not known.

import { h } from "../lib/dom.js";
import { percent } from "../lib/formats.js";

export const progress = (label, done) =>
  h(
    "div",
    { class: "progress" },
    h(
      "p",
      { role: "status" },
      label,
      done !== null && h("span", { class: "hint" }, ` ${percent(Math.floor(done * 1000) / 10)}`),
    ),
    h("progress", { "aria-label": label, max: "1", ...(done === null ? {} : { value: done }) }),
  );
