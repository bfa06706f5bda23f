// Who had which proxy from when to when, and what happened: of one proxy or one instance.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { address, when } from "../lib/formats.js";
import { link } from "../lib/router.js";
import { say } from "../lib/words.js";
import { entry, reasonOf } from "./event.js";
import { empty, failed, waiting } from "./states.js";

const LIMIT = 20;

export class History {
  // `about`: {proxyId}, or {instance, server}.
  constructor(about, changed, signal) {
    Object.assign(this, { about, changed, signal, tenancies: null, events: null, problem: null });
    this.load();
  }

  async load() {
    try {
      const query = { ...this.about, limit: LIMIT };
      const [ledger, events] = await Promise.all([
        get("/ledger", query, this.signal),
        get("/events", query, this.signal),
      ]);
      Object.assign(this, { tenancies: ledger.items, events: events.items, problem: null });
    } catch (error) {
      if (this.signal.aborted) return;
      this.problem = error;
    }
    this.changed();
  }

  view() {
    const { about, tenancies, events, problem } = this;
    const trouble = problem && failed(problem, () => this.load());
    if (!tenancies) return trouble ?? waiting();
    const all = about.proxyId ? { proxyId: about.proxyId } : { instance: about.instance, server: about.server };
    return [
      trouble,
      h(
        "section",
        { key: "tenancies", class: "history" },
        h("h3", {}, say(about.proxyId ? "history.holders" : "history.proxies")),
        tenancies.length
          ? h(
              "ol",
              { class: "tenancies" },
              tenancies.map((one) => tenancy(one, !about.proxyId)),
            )
          : empty(say("history.none")),
      ),
      h(
        "section",
        { key: "events", class: "history" },
        h("h3", {}, say("history.events")),
        events.length ? h("ol", { class: "events" }, events.map(entry)) : empty(say("latest.none")),
        h("p", {}, h("a", { href: link("audit", all) }, say("latest.all"))),
      ),
    ];
  }
}

function tenancy(one, ofInstance) {
  const other = ofInstance
    ? h("a", { class: "mono", href: link("proxies", { open: one.proxyId }) }, one.host ? address(one) : one.proxyId)
    : h(
        "a",
        { href: link("instances", { open: one.name ?? one.instanceId, at: one.server }) },
        one.name ?? one.reservationId ?? one.instanceId,
      );
  const end = one.to ? when(one.to) : h("strong", {}, say("history.still"));
  return h(
    "li",
    { key: `${one.proxyId}${one.from}` },
    h("span", { class: "span" }, when(one.from), " → ", end),
    other,
    h("span", { class: "hint" }, [one.began.actor, reasonOf(one.ended?.reason)].filter(Boolean).join(" · ")),
  );
}
