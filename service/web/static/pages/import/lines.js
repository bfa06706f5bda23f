// Lines of a list with what becomes of them, to be looked at by verdict.

import { h } from "../../lib/dom.js";
import { number } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { masked } from "./mask.js";

const STEP = 200;
const TONES = {
  new: "good",
  changed: "busy",
  unchanged: "quiet",
  duplicate: "quiet",
  drained: "warn",
  refused: "bad",
  warned: "warn",
};
const COLUMNS = ["line", "verdict", "content", "why"];

export const warned = ({ verdict, remarks }) => verdict !== "refused" && remarks.length > 0;
const fits = (filter) => (one) => !filter || one.verdict === filter || (filter === "warned" && warned(one));

// `all` counts all lines and `counts` those of each verdict, also what is not among `lines`.
export function lines({ lines, all, counts }, content, { filter, shown = STEP }, change) {
  if (!lines.length) return null;
  const found = lines.filter(fits(filter));
  const rows = found.slice(0, shown);
  const more = (filter ? counts[filter] : all) - rows.length;
  return h(
    "div",
    { key: "lines", class: "lines" },
    h("div", { class: "chips", role: "group", "aria-label": say("import.verdict") }, [
      chip("", null, filter, change),
      ...Object.keys(TONES).map((verdict) => counts[verdict] > 0 && chip(verdict, counts[verdict], filter, change)),
    ]),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "data remarks" },
        h("caption", { class: "unseen" }, say("import.remarks")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            COLUMNS.map((name) =>
              h("th", { scope: "col", class: name === "line" ? "number" : null }, say(`import.${name}`)),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          rows.map((one, index) => row(one, index, content)),
        ),
      ),
    ),
    h(
      "div",
      { class: "actions wrap" },
      found.length > rows.length &&
        h("button", { type: "button", onclick: () => change({ filter, shown: shown + STEP }) }, say("import.showMore")),
      more > 0 && h("p", { class: "hint" }, say("import.moreLines", { count: number(more) })),
    ),
  );
}

const chip = (verdict, count, filter, change) =>
  h(
    "button",
    {
      key: verdict,
      type: "button",
      class: "chip",
      "aria-pressed": String(filter === verdict),
      onclick: () => change({ filter: verdict }),
    },
    say(`import.chip.${verdict || "all"}`),
    count !== null && h("span", { class: "count" }, number(count)),
  );

function row({ line, verdict, protocol, host, port, changed, remarks }, index, content) {
  const address = host?.includes(":") ? `[${host}]` : host;
  const text = host ? `${protocol}://${address}:${port}` : masked(content?.[line - 1] ?? "");
  const what = changed.map((name) => say(`column.${name}`).toLowerCase()).join(", ");
  const why = [what && say("import.changes", { what }), ...remarks.map(({ reason }) => reason)].filter(Boolean);
  return h(
    "tr",
    { key: `${line}/${verdict}/${index}` },
    h("td", { class: "number", "data-label": say("import.line") }, h("span", {}, line === null ? "" : number(line))),
    h(
      "td",
      { "data-label": say("import.verdict") },
      h("span", { class: `badge ${TONES[verdict]}` }, say(`import.is.${verdict}`)),
    ),
    h("td", { "data-label": say("import.content") }, h("code", { class: "cut" }, text)),
    h(
      "td",
      { class: "prose", "data-label": say("import.why") },
      h("span", { class: warned({ verdict, remarks }) ? "warned" : null }, why.join("; ")),
    ),
  );
}
