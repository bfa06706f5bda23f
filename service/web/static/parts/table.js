// A table of one page of a list: in columns where there is room, as cards on a phone.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { number, dateTime } from "../lib/formats.js";
import { say } from "../lib/words.js";
import { empty, failed, waiting } from "./states.js";

// `columns`: {name, head, cell(item), sort?, number?, wide?}, the first is the row's name. `chosen` is a Set of keys
// with `choose(keys, on)`, or null. `sort` is "", a column's sort word, or "-" and that word.
export function table({
  label,
  columns,
  listing,
  keyOf,
  open = null,
  chosen = null,
  choose = null,
  sort = "",
  onSort = null,
  nothing,
}) {
  const { items, problem } = listing;
  if (problem && !items) return failed(problem, () => listing.reload());
  if (!items) return waiting(8);
  const rows = items.map((item) => row(item, { columns, keyOf, open, chosen, choose }));
  return h(
    "div",
    { class: "listing", "aria-busy": String(listing.loading) },
    problem && failed(problem, () => listing.reload()),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "data" },
        h("caption", { class: "unseen" }, label),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            chosen && h("th", { class: "tick" }, tickAll(items.map(keyOf), chosen, choose)),
            columns.map((column) => head(column, sort, onSort)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
    items.length === 0 && (listing.following ? empty(say("list.goesOn"), say("list.goesOnHint")) : nothing),
    pager(listing),
  );
}

function head(column, sort, onSort) {
  const shape = { key: column.name, scope: "col", class: column.number ? "number" : null };
  if (!onSort || !column.sort) return h("th", shape, column.head);
  const direction = sort === column.sort ? "ascending" : sort === `-${column.sort}` ? "descending" : "none";
  const next = { none: column.sort, ascending: `-${column.sort}`, descending: "" }[direction];
  const arrow = { none: "↕", ascending: "↑", descending: "↓" }[direction];
  return h(
    "th",
    { ...shape, "aria-sort": direction },
    h(
      "button",
      { type: "button", class: "sort", onclick: () => onSort(next) },
      column.head,
      h("span", { "aria-hidden": "true" }, arrow),
    ),
  );
}

function row(item, { columns, keyOf, open, chosen, choose }) {
  const key = keyOf(item);
  const cells = columns.map((column, index) =>
    h(
      "td",
      {
        key: column.name,
        "data-label": column.head,
        class: [column.number && "number", index === 0 && "name"].filter(Boolean).join(" ") || null,
      },
      index === 0 && open ? h("a", { class: "open", href: open(item) }, column.cell(item)) : column.cell(item),
    ),
  );
  const tick =
    chosen &&
    h(
      "td",
      { class: "tick" },
      h("input", {
        type: "checkbox",
        checked: chosen.has(key),
        "aria-label": say("select", { name: key }),
        onchange: (event) => choose([key], event.target.checked),
      }),
    );
  return h("tr", { key, class: chosen?.has(key) ? "chosen" : null }, tick, cells);
}

function tickAll(keys, chosen, choose) {
  const some = keys.filter((key) => chosen.has(key)).length;
  return h("input", {
    type: "checkbox",
    checked: some > 0 && some === keys.length,
    indeterminate: some > 0 && some < keys.length,
    "aria-label": say("selectPage"),
    onchange: (event) => choose(keys, event.target.checked),
  });
}

function pager(listing) {
  const { items, total, following, asOf, loading } = listing;
  const range = items.length ? `${number(listing.first)}–${number(listing.first + items.length - 1)}` : number(0);
  const told = total === null ? range : say("list.of", { range, total: number(total) });
  return h(
    "div",
    { class: "pager" },
    h(
      "p",
      { role: "status" },
      told,
      asOf && h("span", { class: "hint" }, ` · ${say("asOf", { time: dateTime(asOf) })}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": say("previous"),
        disabled: listing.atStart || loading,
        onclick: () => listing.previous(),
      },
      icon("left"),
    ),
    h(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": say("next"),
        disabled: !following || loading,
        onclick: () => listing.next(),
      },
      icon("right"),
    ),
  );
}
