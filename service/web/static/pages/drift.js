// Where leases, rows and live states differ, and what is being done about it.

import { may, post, segment } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { Listing } from "../lib/listing.js";
import { followPart } from "../lib/live.js";
import { go, link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { confirm } from "../parts/dialog.js";
import { filters, serverField } from "../parts/filters.js";
import { empty, noMatch } from "../parts/states.js";
import { table } from "../parts/table.js";
import { toast } from "../parts/toast.js";

const KINDS = [
  "row_missing",
  "row_other",
  "row_by_hand",
  "row_without_lease",
  "conflict",
  "shared",
  "external",
  "lease_without_instance",
  "outdated",
  "unfinished",
  "not_applied",
  "in_trouble",
  "rotations_spent",
  "stuck",
  "unconfigured_server",
];
const LIMIT = 50;

export function show({ root, signal }) {
  let query = {};
  const listing = new Listing("/drift", tell, signal);
  const set = (changes) => go("drift", { ...query, ...changes }, { replace: true });

  const fields = () => [
    { name: "kind", label: say("drift.what"), options: KINDS.map((kind) => [kind, say(`drift.${kind}`)]) },
    ...serverField(),
  ];

  const columns = () =>
    [
      {
        name: "instance",
        head: say("column.instance"),
        cell: (one) =>
          one.instanceName
            ? h(
                "a",
                { class: "cut", href: link("instances", { open: one.instanceName, at: one.server }) },
                one.instanceName,
              )
            : one.server,
      },
      { name: "server", head: say("column.server"), cell: (one) => one.server },
      { name: "what", head: say("drift.what"), cell: (one) => h("span", { class: "prose" }, one.description) },
      { name: "plan", head: say("drift.plan"), cell: (one) => h("span", { class: "prose" }, one.plan) },
      { name: "since", head: say("column.since"), cell: (one) => when(one.since) },
      may("admin") && {
        name: "repair",
        head: say("drift.repair"),
        cell: (one) => h("button", { type: "button", onclick: () => repair(one) }, say("drift.repair")),
      },
    ].filter(Boolean);

  function repair(one) {
    confirm({
      title: say("drift.repair"),
      content: [h("p", {}, one.description), h("p", {}, one.plan)],
      action: say("drift.repair"),
      danger: one.remedy !== null,
      act: async () => {
        const { drift } = await post(`/drift/${segment(one.id)}/repair`);
        listing.reload();
        if (drift) return h("p", {}, say("drift.begun", { plan: drift.plan }));
        toast(say("drift.over"));
      },
    });
  }

  function tell() {
    draw(
      root,
      h("div", { class: "toolbar" }, filters(query, fields(), set)),
      table({
        label: say("nav.drift"),
        columns: columns(),
        listing,
        keyOf: (one) => one.id,
        nothing: Object.keys(query).length ? noMatch() : empty(say("drift.none"), say("drift.noneHint")),
      }),
    );
  }

  followPart((stats) => stats.servers.map(({ name }) => name), tell, signal);
  listing.keepFresh();

  return (given) => {
    query = given;
    listing.load({ ...query, limit: LIMIT });
  };
}
