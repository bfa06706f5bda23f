// The WhatsApp connections: which proxy each has, in which phase, and since when.

import { may } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { followPart } from "../lib/live.js";
import { Listing } from "../lib/listing.js";
import { back, go, link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { appliedBadge, phaseBadge, stateBadge } from "../parts/badges.js";
import { Bulk } from "../parts/bulk.js";
import { reasonOf } from "../parts/event.js";
import { filters, serverField } from "../parts/filters.js";
import { empty, noMatch } from "../parts/states.js";
import { table } from "../parts/table.js";
import { InstanceDrawer } from "./instances/drawer.js";

const STATES = ["open", "connecting", "close", "unknown"];
const LISTS = ["unprotected", "unapplied", "spent", "external"];
const FILTERS = ["q", "list", "state", "server"];
const BULK = {
  path: "/instances/bulk",
  actions: ["assign", "rotate", "release"],
  filters: FILTERS,
  hint: "instances.bulkHint",
  named: namesOf,
};
const LIMIT = 50;

const keyOf = (one) => `${one.server}/${one.name}`;

// Of several servers, a name that more than one of them has is told as such and left alone.
function namesOf(keys) {
  const pairs = keys.map((key) => [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)]);
  const servers = new Set(pairs.map(([server]) => server));
  const names = pairs.map(([, name]) => name);
  return servers.size === 1 ? { names, server: pairs[0][0] } : { names };
}

const none = () => h("span", { class: "none" }, "–");

const columns = () => [
  { name: "name", head: say("column.instance"), cell: (one) => h("span", { class: "cut", title: one.name }, one.name) },
  { name: "state", head: say("column.state"), cell: (one) => stateBadge(one.state) },
  { name: "proxy", head: say("column.proxy"), cell: proxyOf },
  { name: "phase", head: say("column.phase"), cell: phaseBadge },
  { name: "applied", head: say("column.applied"), cell: (one) => appliedBadge(one.applied) },
  { name: "reason", head: say("column.reason"), cell: reason },
  { name: "since", head: say("column.since"), cell: (one) => when(one.stateSince) },
  { name: "server", head: say("column.server"), cell: (one) => one.server },
  { name: "managed", head: say("column.managed"), cell: (one) => say(one.managed ? "yes" : "no") },
];

function reason(one) {
  const text = reasonOf(one.reason);
  return text ? h("span", { class: "cut", title: one.reason }, text) : none();
}

function proxyOf(one) {
  if (one.proxyId)
    return h(
      "a",
      { class: "mono cut", href: link("proxies", { open: one.proxyId }), title: one.proxyId },
      one.address ?? one.proxyId,
    );
  if (one.address)
    return h(
      "span",
      {},
      h("span", { class: "mono" }, one.address),
      h("span", { class: "hint" }, ` ${say("external")}`),
    );
  return none();
}

export function show({ root, signal }) {
  let query = {};
  const listing = new Listing("/instances", tell, signal);
  const drawer = new InstanceDrawer(
    () => back("instances", { ...query, open: "", at: "" }),
    () => listing.reload(),
    signal,
  );
  const bulk = new Bulk(BULK, () => ({ query, total: listing.total }), { changed: tell, done: () => listing.reload() });
  const set = (changes) => go("instances", { ...query, ...changes }, { replace: true });

  const fields = () => [
    { name: "q", kind: "search", label: say("instances.search") },
    { name: "list", label: say("column.list"), options: LISTS.map((name) => [name, say(`list.${name}`)]) },
    { name: "state", label: say("column.state"), options: STATES.map((state) => [state, say(`state.${state}`)]) },
    ...serverField(),
  ];

  function tell() {
    const writes = may("admin");
    const filtered = FILTERS.some((name) => query[name]);
    draw(
      root,
      h("div", { class: "toolbar" }, filters(query, fields(), set)),
      writes && bulk.bar(),
      table({
        label: say("nav.instances"),
        columns: columns(),
        listing,
        keyOf,
        open: (one) => link("instances", { ...query, open: one.name, at: one.server }),
        chosen: writes ? bulk.chosen : null,
        choose: (keys, on) => bulk.choose(keys, on),
        nothing: filtered ? noMatch() : empty(say("instances.none"), say("instances.noneHint")),
      }),
    );
  }

  followPart((stats) => stats.servers.map(({ name }) => name), tell, signal);
  listing.keepFresh();

  return (given) => {
    const { open, at, ...rest } = given;
    const { open: _, at: __, ...before } = query;
    query = given;
    if (!listing.items || JSON.stringify(rest) !== JSON.stringify(before)) {
      bulk.chosen.clear();
      listing.load({ ...rest, limit: LIMIT });
    }
    drawer.open(open ?? "", at ?? "");
  };
}
