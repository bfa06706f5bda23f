// The WhatsApp connections: which proxy each has, in which phase, and since when.

import { draw, h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { follow, live } from "../lib/live.js";
import { Listing } from "../lib/listing.js";
import { go, link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { appliedBadge, phaseBadge, stateBadge } from "../parts/badges.js";
import { filters } from "../parts/filters.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { InstanceDrawer } from "./instances/drawer.js";

const STATES = ["open", "connecting", "close", "unknown"];
const LISTS = ["unprotected", "unapplied", "spent", "external"];
const LIMIT = 50;

const none = () => h("span", { class: "none" }, "–");

const columns = () => [
  { name: "name", head: say("column.instance"), cell: (one) => h("span", { class: "cut", title: one.name }, one.name) },
  { name: "state", head: say("column.state"), cell: (one) => stateBadge(one.state) },
  { name: "proxy", head: say("column.proxy"), cell: proxyOf },
  { name: "phase", head: say("column.phase"), cell: phaseBadge },
  { name: "applied", head: say("column.applied"), cell: (one) => appliedBadge(one.applied) },
  { name: "since", head: say("column.since"), cell: (one) => when(one.stateSince) },
  { name: "server", head: say("column.server"), cell: (one) => one.server },
  { name: "managed", head: say("column.managed"), cell: (one) => say(one.managed ? "yes" : "no") },
];

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
    () => set({ open: "", at: "" }),
    () => listing.reload(),
    signal,
  );
  const set = (changes) => go("instances", { ...query, ...changes }, { replace: true });

  const fields = () =>
    [
      { name: "q", kind: "search", label: say("instances.search") },
      { name: "list", label: say("column.list"), options: LISTS.map((name) => [name, say(`list.${name}`)]) },
      { name: "state", label: say("column.state"), options: STATES.map((state) => [state, say(`state.${state}`)]) },
      (live.stats?.servers.length ?? 0) > 1 && {
        name: "server",
        label: say("column.server"),
        options: live.stats.servers.map(({ name }) => [name, name]),
      },
    ].filter(Boolean);

  function tell() {
    const filtered = ["q", "list", "state", "server"].some((name) => query[name]);
    draw(
      root,
      h("div", { class: "toolbar" }, filters(query, fields(), set)),
      table({
        label: say("nav.instances"),
        columns: columns(),
        listing,
        keyOf: (one) => `${one.server}/${one.id}`,
        open: (one) => link("instances", { ...query, open: one.name, at: one.server }),
        nothing: filtered
          ? empty(
              say("list.noMatch"),
              say("list.noMatchHint"),
              h("button", { type: "button", onclick: () => go("instances") }, say("filter.clear")),
            )
          : empty(say("instances.none"), say("instances.noneHint")),
      }),
    );
  }

  let servers = 0;
  follow(() => {
    const known = live.stats?.servers.length ?? 0;
    if (known !== servers) tell();
    servers = known;
  }, signal);

  return (given) => {
    const { open, at, ...rest } = given;
    const { open: _, at: __, ...before } = query;
    query = given;
    if (!listing.items || JSON.stringify(rest) !== JSON.stringify(before)) listing.load({ ...rest, limit: LIMIT });
    drawer.open(open ?? "", at ?? "");
  };
}
