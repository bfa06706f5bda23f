// Where leases, rows and live states differ, and what is being done about it.

import { may, post, segment } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { Listing } from "../lib/listing.js";
import { link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { confirm } from "../parts/dialog.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { toast } from "../parts/toast.js";

const LIMIT = 50;

export function show({ root, signal }) {
  const listing = new Listing("/drift", tell, signal);

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
      table({
        label: say("nav.drift"),
        columns: columns(),
        listing,
        keyOf: (one) => one.id,
        nothing: empty(say("drift.none"), say("drift.noneHint")),
      }),
    );
  }

  return (query) => listing.load({ ...query, limit: LIMIT });
}
