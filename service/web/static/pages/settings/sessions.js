// Who is logged in.

import { ask, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { when } from "../../lib/formats.js";
import { Listing } from "../../lib/listing.js";
import { say } from "../../lib/words.js";
import { roleBadge } from "../../parts/badges.js";
import { confirm } from "../../parts/dialog.js";
import { empty } from "../../parts/states.js";
import { table } from "../../parts/table.js";
import { toast } from "../../parts/toast.js";

const LIMIT = 50;

export class Sessions {
  constructor(changed, signal) {
    this.listing = new Listing("/sessions", changed, signal);
  }

  load() {
    this.listing.load({ limit: LIMIT });
  }

  view() {
    const { listing } = this;
    const columns = [
      { name: "actor", head: say("column.actor"), cell: who },
      { name: "role", head: say("column.role"), cell: (one) => roleBadge(one.role) },
      { name: "createdAt", head: say("column.since"), cell: (one) => when(one.createdAt) },
      { name: "lastSeenAt", head: say("column.lastUsedAt"), cell: (one) => when(one.lastSeenAt) },
      { name: "address", head: say("column.from_"), cell: (one) => one.address },
      {
        name: "userAgent",
        head: say("column.browser"),
        cell: (one) => h("span", { class: "cut", title: one.userAgent }, one.userAgent),
      },
      {
        name: "act",
        head: say("column.act"),
        cell: (one) =>
          !one.current &&
          h("button", { type: "button", class: "danger quiet", onclick: () => this.end(one) }, say("session.end")),
      },
    ];
    return h(
      "section",
      { key: "sessions", class: "card" },
      h("h2", {}, say("sessions")),
      table({ label: say("sessions"), columns, listing, keyOf: (one) => one.id, nothing: empty(say("sessions.none")) }),
    );
  }

  end(one) {
    confirm({
      title: say("session.end"),
      content: h("p", {}, say("session.endConfirm", { actor: one.actor, address: one.address })),
      action: say("session.end"),
      danger: true,
      act: async () => {
        await ask("DELETE", `/sessions/${segment(one.id)}`);
        await this.listing.reload();
        toast(say("session.ended"));
      },
    });
  }
}

// One's own is ended by logging out.
const who = (one) => [
  h("span", { class: "cut" }, one.actor),
  one.current && h("span", { class: "badge quiet" }, say("session.current")),
];
