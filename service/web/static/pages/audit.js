// The audit trail with its filters in the address, to look through, to send to somebody, to take away.

import { draw, h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { Listing } from "../lib/listing.js";
import { go, link } from "../lib/router.js";
import { meaning, say } from "../lib/words.js";
import { levelBadge } from "../parts/badges.js";
import { objects, what, why } from "../parts/event.js";
import { filters } from "../parts/filters.js";
import { noMatch } from "../parts/states.js";
import { table } from "../parts/table.js";
import { taking } from "./audit/download.js";

const LEVELS = ["info", "warning", "error"];
const FAMILIES = [
  "lease.",
  "proxy.",
  "instance.",
  "server.",
  "brake.",
  "pool.",
  "reservation.",
  "rotation.",
  "token.",
  "session.",
  "job.",
  "key.",
  "export.",
  "events.",
];
const LIMIT = 100;

const columns = () => [
  { name: "at", head: say("column.at"), cell: (event) => h("a", { href: link("audit", { id: event.id }) }, when(event.at)) },
  { name: "level", head: say("column.level"), cell: (event) => levelBadge(event.level) },
  { name: "type", head: say("column.event"), cell: (event) => h("span", { title: event.type }, what(event)) },
  { name: "about", head: say("column.about"), cell: (event) => h("span", { class: "about" }, objects(event)) },
  { name: "reason", head: say("column.reason"), cell: (event) => h("span", { class: "prose" }, why(event)) },
  {
    name: "actor",
    head: say("column.actor"),
    cell: (event) => h("span", { class: "cut", title: event.actor }, event.actor),
  },
  { name: "data", head: say("column.more"), cell: more },
];

function more(event) {
  const pairs = Object.entries(event.data);
  if (!pairs.length) return h("span", { class: "none" }, "–");
  return h(
    "details",
    { class: "more" },
    h("summary", {}, say("details")),
    h(
      "dl",
      { class: "facts" },
      pairs.map(([name, value]) => h("div", { key: name }, h("dt", {}, name), h("dd", {}, String(value)))),
    ),
  );
}

export function show({ root, signal }) {
  let query = {};
  const listing = new Listing("/events", tell, signal);
  const set = (changes) => go("audit", { ...query, ...changes }, { replace: true });
  const taken = taking(() => query, tell, signal);

  const fields = () => [
    { name: "level", label: say("column.level"), options: LEVELS.map((level) => [level, say(`level.${level}`)]) },
    { name: "type", label: say("column.event"), options: types() },
    { name: "instance", label: say("column.instance") },
    { name: "proxyId", label: say("column.proxyId") },
    { name: "actor", label: say("column.actor") },
    ...(query.id ? [{ name: "id", label: say("column.id") }] : []), // of a link to one event
    { name: "from", kind: "time", label: say("column.from") },
    { name: "to", kind: "time", label: say("column.to") },
  ];

  // The families, and the exact type of a link that names one.
  const types = () =>
    [...FAMILIES, ...(query.type && !FAMILIES.includes(query.type) ? [query.type] : [])].map((type) => [
      type,
      type.endsWith(".") ? say(`family.${type.slice(0, -1)}`) : meaning("event", type),
    ]);

  function tell() {
    draw(
      root,
      h("div", { class: "toolbar" }, filters(query, fields(), set), taken.view(listing)),
      table({
        label: say("nav.audit"),
        columns: columns(),
        listing,
        keyOf: (event) => event.id,
        nothing: noMatch(),
      }),
    );
  }

  return (given) => {
    if (listing.items && JSON.stringify(given) === JSON.stringify(query)) return;
    query = given;
    listing.load({ ...query, limit: LIMIT });
  };
}
