// The pool by status, and what deserves a look.

import { h } from "../../lib/dom.js";
import { duration, number } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { say } from "../../lib/words.js";
import { STATUSES } from "../../parts/badges.js";

const FIGURE = { free: "available" };

export function statuses(stats) {
  const figure = (status) => stats[FIGURE[status] ?? status];
  return h(
    "section",
    { key: "statuses", class: "card" },
    h("h2", {}, say("pool"), h("span", { class: "hint" }, say("pool.total", { total: number(stats.total) }))),
    h(
      "div",
      { class: "bar", "aria-hidden": "true" },
      STATUSES.map((status) => {
        const part = h("i", { key: status, class: status });
        part.style.flexGrow = Math.max(0, figure(status));
        return part;
      }),
    ),
    h(
      "div",
      { class: "tiles" },
      STATUSES.map((status) =>
        tile(say(`status.${status}.figure`), figure(status), {
          href: link("proxies", { status }),
          swatch: status,
          tone: status === "free" && figure(status) <= 0 ? "bad" : "",
        }),
      ),
    ),
  );
}

export function figures(stats, expiring) {
  const drift = stats.servers.reduce((sum, server) => sum + server.drift, 0);
  const lag = stats.mirrorLag;
  return h(
    "section",
    { key: "figures", class: "card" },
    h("h2", {}, say("figures")),
    h(
      "div",
      { class: "tiles" },
      tile(say("figure.notApplied"), stats.notApplied, {
        href: link("instances", { list: "unapplied" }),
        tone: stats.notApplied > 0 ? "warn" : "",
      }),
      tile(say("figure.drift"), drift, { href: link("drift"), tone: drift > 0 ? "warn" : "" }),
      tile(say("figure.expiring"), expiring.told(), {
        href: link("proxies", { expiring: expiring.within, sort: "expiresAt" }),
        tone: expiring.some ? "warn" : "",
      }),
      tile(say("figure.stuck"), stats.stuck, {
        href: link("drift", { kind: "stuck" }),
        tone: stats.stuck > 0 ? "bad" : "",
      }),
      tile(say("figure.spent"), stats.rotationsSpent, {
        href: link("instances", { list: "spent" }),
        tone: stats.rotationsSpent > 0 ? "bad" : "",
      }),
      tile(say("figure.external"), stats.external, { href: link("instances", { list: "external" }) }),
      tile(say("figure.reserved"), stats.reserved),
      tile(say("figure.releasing"), stats.releasing),
      tile(say("figure.reservations"), stats.reservations),
      tile(say("figure.lag"), lag === null ? say("figure.noMirror") : duration(lag), {
        tone: lag > 60 ? "bad" : lag > 10 ? "warn" : "",
      }),
      tile(say("figure.events"), `${number(stats.events)}`, {
        tone: stats.events > stats.eventsMax * 0.8 ? "bad" : "",
      }),
    ),
  );
}

export function tile(name, value, { href = null, swatch = "", tone = "" } = {}) {
  const parts = [
    h("span", { class: "name" }, swatch && h("i", { class: swatch }), name),
    h("span", { class: "value" }, typeof value === "number" ? number(value) : value),
  ];
  return href
    ? h("a", { key: name, class: `tile ${tone}`, href }, parts)
    : h("div", { key: name, class: `tile ${tone}` }, parts);
}
