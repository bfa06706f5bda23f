// The groups, fullest first.

import { h } from "../../lib/dom.js";
import { number, percent } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { say } from "../../lib/words.js";
import { meter, toneOf } from "./usage.js";

const SHOWN = 50;
const COLUMNS = ["total", "used", "available", "cooling", "quarantined", "disabled"];

export function groups(stats) {
  const sorted = Object.entries(stats.groups).sort(
    ([a, x], [b, y]) => y.utilization - x.utilization || y.used - x.used || (a < b ? -1 : 1),
  );
  if (!sorted.length) return null;
  return h(
    "section",
    { key: "groups", class: "card" },
    h("h2", {}, say("groups"), h("span", { class: "hint" }, say("groups.note"))),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "plain groups" },
        h("caption", { class: "unseen" }, say("groups")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, say("column.group")),
            h("th", { scope: "col", class: "wide" }, say("column.usage")),
            COLUMNS.map((name) => h("th", { scope: "col", class: `number ${name}` }, say(`figure.${name}`))),
          ),
        ),
        h("tbody", {}, sorted.slice(0, SHOWN).map(row)),
      ),
    ),
    sorted.length > SHOWN && h("p", { class: "hint" }, say("groups.more", { count: number(sorted.length - SHOWN) })),
  );
}

function row([name, counts]) {
  const shown = name || say("noGroup");
  return h(
    "tr",
    { key: `g${name}`, class: toneOf(counts.utilization) },
    h(
      "th",
      { scope: "row" },
      name
        ? h("a", { href: link("proxies", { group: name }), title: name }, name)
        : h("span", { class: "hint" }, shown),
    ),
    h(
      "td",
      { class: "wide" },
      h(
        "span",
        { class: "measured" },
        meter(counts.utilization, shown),
        h("span", { class: "percent" }, percent(counts.utilization)),
      ),
    ),
    COLUMNS.map((column) => h("td", { class: `number ${column}` }, number(counts[column]))),
  );
}
