// One instance: its state, its proxy, its history of IPs, and what a human may do about it.

import { get, may, segment } from "../../lib/api.js";
import { draw, h } from "../../lib/dom.js";
import { dateTime } from "../../lib/formats.js";
import { moved } from "../../lib/live.js";
import { link } from "../../lib/router.js";
import { meaning, say } from "../../lib/words.js";
import { appliedBadge, phaseBadge, stateBadge } from "../../parts/badges.js";
import { show } from "../../parts/dialog.js";
import { reasonOf } from "../../parts/event.js";
import { facts } from "../../parts/facts.js";
import { History } from "../../parts/history.js";
import { failed, notice, waiting } from "../../parts/states.js";
import { assign, release, rotate } from "./acts.js";

const REFRESH_MS = 3000;

export class InstanceDrawer {
  constructor(closed, changed, signal) {
    Object.assign(this, { closed, changed, signal, name: "", server: "", view: null });
    signal.addEventListener("abort", () => this.view?.close(), { once: true });
    moved(() => this.refresh(), REFRESH_MS, signal);
  }

  // Shows the instance, or nothing for "".
  open(name, server) {
    if (name === this.name && server === this.server) return;
    Object.assign(this, { name, server, instance: null, proxy: null, problem: null });
    this.view?.close();
    if (!name) return;
    const view = (this.view = show("drawer", name, { closed: () => this.gone(view) }));
    draw(view.body, waiting());
    this.history = null;
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
    const own = this.name;
    this.name = this.server = "";
    if (own && !this.signal.aborted) this.closed();
  }

  async load() {
    const { name, server } = this;
    const mine = () => name === this.name && server === this.server;
    try {
      const instance = await get(`/instances/${segment(name)}`, { server }, this.signal);
      const proxy = instance.proxyId ? await get(`/proxies/${segment(instance.proxyId)}`, {}, this.signal) : null;
      if (!mine()) return;
      Object.assign(this, { instance, proxy, problem: null });
      if (may("admin"))
        this.history ??= new History(
          { instance: instance.id, server: instance.server },
          () => this.tell(),
          this.signal,
        );
    } catch (error) {
      if (this.signal.aborted || !mine()) return;
      this.problem = error;
    }
    this.tell();
  }

  tell() {
    const { view, instance, problem } = this;
    if (!view || (!instance && !problem)) return;
    if (problem)
      return draw(
        view.body,
        failed(problem, () => this.load()),
      );
    draw(
      view.body,
      h(
        "p",
        { class: "badges" },
        stateBadge(instance.state),
        instance.phase && phaseBadge(instance),
        instance.applied && appliedBadge(instance.applied),
      ),
      instance.waitsForHuman && notice("bad", h("p", {}, say("instance.waitsForHuman"))),
      !instance.managed &&
        notice("warn", h("p", {}, say(instance.unmanaged ? "instance.unmanaged" : "instance.notManaged"))),
      may("admin") && this.actions(),
      this.fields(),
      this.history?.view(),
    );
  }

  actions() {
    const { instance } = this;
    const done = async () => {
      await this.load();
      this.history?.load();
      this.changed();
    };
    const button = (word, act, danger = false) =>
      h(
        "button",
        { key: word, type: "button", class: danger ? "danger quiet" : null, onclick: () => act(instance, done) },
        say(word),
      );
    return h(
      "div",
      { class: "actions wrap" },
      instance.proxyId
        ? [button("instance.rotate", rotate), button("instance.release", release, true)]
        : button("instance.assign", assign),
    );
  }

  fields() {
    const { instance, proxy } = this;
    const address = instance.address ?? instance.proxyId;
    return h(
      "section",
      {},
      facts([
        [
          say("column.proxy"),
          instance.proxyId
            ? h(
                "a",
                { class: "mono", href: link("proxies", { open: instance.proxyId }) },
                proxy ? `${proxy.host}:${proxy.port}` : address,
              )
            : instance.address && `${instance.address} ${say("external")}`,
        ],
        [say("column.group"), proxy?.group],
        [say("column.heldSince"), proxy?.since && dateTime(proxy.since)],
        [say("column.reason"), reasonOf(proxy?.reason)],
        [say("column.actor"), proxy?.actor],
        [say("column.chosen"), instance.choice && meaning("chosen", instance.choice.why)],
        [say("column.stateSince"), instance.stateSince && dateTime(instance.stateSince)],
        [say("instance.troubledSince"), instance.troubledSince && dateTime(instance.troubledSince)],
        [say("instance.code"), instance.disconnectionCode],
        [say("column.seenAt"), instance.seenAt && dateTime(instance.seenAt)],
        [say("instance.owner"), instance.owner],
        [say("column.server"), instance.server],
        [say("instance.integration"), instance.integration],
        ["id", h("span", { class: "mono" }, instance.id)],
      ]),
    );
  }
}
