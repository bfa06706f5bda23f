// What is about to run out, and who is unprotected; then everything else, live.

import { may } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { follow, live } from "../lib/live.js";
import { waiting } from "../parts/states.js";
import { groups } from "./overview/groups.js";
import { Expiring } from "./overview/expiring.js";
import { figures, statuses } from "./overview/figures.js";
import { Latest } from "./overview/latest.js";
import { notices } from "./overview/notices.js";
import { Unprotected } from "./overview/unprotected.js";
import { servers } from "./overview/servers.js";
import { Usage } from "./overview/usage.js";

export function show({ root, signal }) {
  const usage = new Usage(tell, signal);
  const unprotected = new Unprotected(tell, signal);
  const expiring = new Expiring(tell, signal);
  const latest = may("admin") ? new Latest(tell, signal) : null;

  function tell() {
    const { stats } = live;
    if (!stats) return draw(root, waiting(10));
    draw(
      root,
      h(
        "div",
        { class: "overview" },
        h("div", { key: "notices", class: "notices", "aria-live": "polite" }, notices(stats)),
        h("div", { key: "first", class: "first" }, usage.view(stats), unprotected.view(stats)),
        statuses(stats),
        figures(stats, expiring),
        groups(stats),
        servers(stats),
        latest?.view(),
      ),
    );
  }

  follow(tell, signal);
  tell();
}
