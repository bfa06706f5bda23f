// The pool as a table, with one proxy beside it on demand.

import { may } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { followPart, live } from "../lib/live.js";
import { Listing } from "../lib/listing.js";
import { preference, remember } from "../lib/prefs.js";
import { back, go, link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { STATUSES } from "../parts/badges.js";
import { Bulk } from "../parts/bulk.js";
import { filters, serverField } from "../parts/filters.js";
import { empty, noMatch } from "../parts/states.js";
import { table } from "../parts/table.js";
import { COLUMNS, DEFAULT_COLUMNS } from "./proxies/columns.js";
import { ProxyDrawer } from "./proxies/drawer.js";

const PROTOCOLS = ["http", "https", "socks4", "socks5"];
const FILTERS = ["q", "status", "protocol", "group", "server", "label", "expiring"];
const EXPIRING = { week: "604800", month: "2592000" };
const BULK = {
  path: "/proxies/bulk",
  actions: [
    "disable",
    "enable",
    "remove",
    "setGroup",
    "setLabels",
    "addLabels",
    "removeLabels",
    "rotate",
    "release",
  ],
  filters: FILTERS,
  hint: "proxies.bulkHint",
  named: (ids) => ({ ids }),
};
const FIRST = "address";
const MOST_GROUPS = 200; // to choose from; of more a part of the name is typed
const LIMIT = 50;

export function show({ root, signal }) {
  let query = {};
  let columns = preference("proxyColumns") ?? DEFAULT_COLUMNS;
  const listing = new Listing("/proxies", tell, signal);
  const drawer = new ProxyDrawer(
    () => back("proxies", { ...query, open: "" }),
    () => listing.reload(),
    signal,
  );
  const bulk = new Bulk(BULK, () => ({ query, total: listing.total }), { changed: tell, done: () => listing.reload() });
  const set = (changes) => go("proxies", { ...query, ...changes }, { replace: true });

  function pick(name, on) {
    columns = Object.keys(COLUMNS).filter((other) => (other === name ? on : columns.includes(other)));
    remember("proxyColumns", columns);
    tell();
  }

  function fields() {
    const groups = Object.keys(live.stats?.groups ?? {}).filter(Boolean);
    return [
      { name: "q", kind: "search", label: say("proxies.search") },
      {
        name: "status",
        label: say("column.status"),
        options: STATUSES.map((status) => [status, say(`status.${status}`)]),
      },
      { name: "protocol", label: say("column.protocol"), options: PROTOCOLS.map((name) => [name, name]) },
      {
        name: "group",
        label: say("column.group"),
        options: groups.length <= MOST_GROUPS ? groups.map((name) => [name, name]) : null,
      },
      {
        name: "expiring",
        label: say("column.expiresAt"),
        options: Object.entries(EXPIRING).map(([name, seconds]) => [seconds, say(`expiring.${name}`)]),
      },
      ...serverField(),
    ];
  }

  function tell() {
    const writes = may("admin");
    const shown = [FIRST, ...columns.filter((name) => name in COLUMNS)].map((name) => COLUMNS[name]);
    const filtered = FILTERS.some((name) => query[name]);
    draw(
      root,
      h("div", { class: "toolbar" }, filters(query, fields(), set), picker(columns, pick)),
      writes && bulk.bar(),
      table({
        label: say("nav.proxies"),
        columns: shown,
        listing,
        keyOf: (proxy) => proxy.id,
        open: (proxy) => link("proxies", { ...query, open: proxy.id }),
        chosen: writes ? bulk.chosen : null,
        choose: (keys, on) => bulk.choose(keys, on),
        sort: query.sort ?? "",
        onSort: (sort) => set({ sort }),
        nothing: filtered
          ? noMatch()
          : empty(
              say("proxies.none"),
              say("proxies.noneHint"),
              writes && h("a", { class: "button primary", href: link("import") }, say("nav.import")),
            ),
      }),
    );
  }

  followPart((stats) => [Object.keys(stats.groups), stats.servers.map(({ name }) => name)], tell, signal);
  listing.keepFresh();

  return (given) => {
    const { open, ...rest } = given;
    const { open: _, ...before } = query;
    query = given;
    if (!listing.items || JSON.stringify(rest) !== JSON.stringify(before)) {
      bulk.chosen.clear();
      listing.load({ ...rest, limit: LIMIT });
    }
    drawer.open(open ?? "");
  };
}

function picker(columns, pick) {
  const menu = h(
    "details",
    {
      class: "picker",
      onkeydown: ({ currentTarget, key }) => {
        if (key === "Escape") currentTarget.open = false;
      },
    },
    h("summary", {}, say("columns")),
    h(
      "div",
      { class: "menu", tabindex: "-1" }, // a press on a label's words stays within
      Object.entries(COLUMNS)
        .filter(([name]) => name !== FIRST)
        .map(([name, column]) =>
          h(
            "label",
            { key: name, class: "check" },
            h("input", {
              type: "checkbox",
              checked: columns.includes(name),
              onchange: (event) => pick(name, event.target.checked),
            }),
            h("span", {}, column.head),
          ),
        ),
    ),
  );
  menu.addEventListener("focusout", ({ currentTarget, relatedTarget }) => {
    if (!currentTarget.contains(relatedTarget)) currentTarget.open = false;
  });
  return menu;
}
