// One proxy: what it is, who holds it, what happened to it, and what a human may do about it.

import { ask, get, may, segment } from "../../lib/api.js";
import { draw, h } from "../../lib/dom.js";
import { address, dateTime } from "../../lib/formats.js";
import { moved } from "../../lib/live.js";
import { link } from "../../lib/router.js";
import { meaning, say } from "../../lib/words.js";
import { appliedBadge, phaseBadge, statusBadge } from "../../parts/badges.js";
import { show } from "../../parts/dialog.js";
import { reasonOf } from "../../parts/event.js";
import { facts } from "../../parts/facts.js";
import { History } from "../../parts/history.js";
import { failed, waiting } from "../../parts/states.js";
import { disable, edit, enable, remove, reveal } from "./acts.js";

const REFRESH_MS = 3000;

export class ProxyDrawer {
  // `closed` is called when the reader shuts it, `changed` when the proxy is another afterwards.
  constructor(closed, changed, signal) {
    Object.assign(this, { closed, changed, signal, id: "", view: null });
    signal.addEventListener("abort", () => this.view?.close(), { once: true });
    moved(() => this.refresh(), REFRESH_MS, signal);
  }

  // Shows the proxy of `id`, or nothing for "".
  open(id) {
    if (id === this.id) return;
    this.id = id;
    this.view?.close();
    if (!id) return;
    const view = (this.view = show("drawer", say("proxy"), { closed: () => this.gone(view) }));
    draw(view.body, waiting());
    this.history = may("admin") ? new History({ proxyId: id }, () => this.tell(), this.signal) : null;
    this.load();
  }

  refresh() {
    if (!this.view) return;
    this.load();
    this.history?.load();
  }

  gone(view) {
    if (view !== this.view) return;
    this.view = null;
    const own = this.id;
    this.id = "";
    if (own && !this.signal.aborted) this.closed();
  }

  async load() {
    const { id } = this;
    try {
      const { body, headers } = await ask("GET", `/proxies/${segment(id)}`, { signal: this.signal });
      if (id !== this.id) return;
      Object.assign(this, { proxy: body, etag: headers.get("ETag"), problem: null });
    } catch (error) {
      if (this.signal.aborted || id !== this.id) return;
      this.problem = error;
    }
    this.tell();
  }

  tell() {
    const { view, proxy, problem } = this;
    if (!view || (!proxy && !problem)) return;
    if (problem)
      return draw(
        view.body,
        failed(problem, () => this.load()),
      );
    if (proxy.id !== this.id) return;
    view.title(address(proxy));
    draw(
      view.body,
      h(
        "p",
        { class: "badges" },
        statusBadge(proxy.status),
        proxy.phase && phaseBadge(proxy),
        proxy.applied && appliedBadge(proxy.applied),
      ),
      may("admin") && this.actions(),
      fields(proxy),
      this.history?.view(),
    );
  }

  actions() {
    const { proxy, etag } = this;
    const done = async (next = proxy) => {
      if (next) {
        await this.load();
        this.history?.load();
      } else this.view?.close();
      this.changed();
    };
    const button = (word, act, danger = false) =>
      h("button", { key: word, type: "button", class: danger ? "danger quiet" : null, onclick: act }, say(word));
    return h(
      "div",
      { class: "actions wrap" },
      proxy.isActive
        ? button("proxy.disable", () => disable(proxy, done))
        : button("proxy.enable", () => enable(proxy, done)),
      button("proxy.edit", () => edit(proxy, etag, done)),
      may("superadmin") && button("proxy.reveal", () => reveal(proxy)),
      button("proxy.remove", () => remove(proxy, done), true),
    );
  }
}

function fields(proxy) {
  const holder =
    proxy.assignedInstanceName &&
    h(
      "a",
      { href: link("instances", { open: proxy.assignedInstanceName, at: proxy.server }) },
      proxy.assignedInstanceName,
    );
  return h(
    "section",
    {},
    facts([
      [say("column.holder"), holder && h("span", {}, holder, ` · ${proxy.server}`)],
      [say("column.since"), proxy.since && dateTime(proxy.since)],
      [say("column.reason"), reasonOf(proxy.reason)],
      [say("column.actor"), proxy.actor],
      [say("column.chosen"), proxy.choice && meaning("chosen", proxy.choice.why)],
      [say("proxy.disabledReason"), reasonOf(proxy.disabledReason)],
      [say("proxy.quarantineReason"), reasonOf(proxy.quarantineReason)],
      [say("proxy.restReason"), reasonOf(proxy.restReason)],
      [say("column.availableAt"), proxy.availableAt && dateTime(proxy.availableAt)],
      [say("proxy.strikes"), proxy.strikes || null],
      [say("column.protocol"), proxy.protocol],
      [say("column.username"), proxy.username],
      [say("column.group"), proxy.group || say("noGroup")],
      [
        say("column.labels"),
        proxy.labels.length
          ? h(
              "span",
              { class: "badges" },
              proxy.labels.map((label) => h("span", { key: label, class: "badge quiet" }, label)),
            )
          : null,
      ],
      [say("column.expiresAt"), proxy.expiresAt && dateTime(proxy.expiresAt)],
      [say("column.createdAt"), dateTime(proxy.createdAt)],
      [say("column.updatedAt"), dateTime(proxy.updatedAt)],
      ["id", h("span", { class: "mono" }, proxy.id)],
    ]),
  );
}
