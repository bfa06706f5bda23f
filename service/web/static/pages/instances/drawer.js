// One instance: its state, its proxy, its history of IPs, and what a human may do about it.

import { get, may, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { address, dateTime } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { meaning, say } from "../../lib/words.js";
import { appliedBadge, phaseBadge, stateBadge } from "../../parts/badges.js";
import { Drawer } from "../../parts/drawer.js";
import { reasonOf } from "../../parts/event.js";
import { facts } from "../../parts/facts.js";
import { notice } from "../../parts/states.js";
import { assign, release, rotate } from "./acts.js";

export class InstanceDrawer extends Drawer {
  // Shows the instance, or nothing for "".
  open(name, server) {
    Object.assign(this, { name, server });
    this.place(name && `${server}/${name}`, name);
  }

  async read() {
    const { name, server, signal } = this;
    const instance = await get(`/instances/${segment(name)}`, { server }, signal);
    const proxy = instance.proxyId ? await get(`/proxies/${segment(instance.proxyId)}`, {}, signal) : null;
    return { instance, proxy };
  }

  about() {
    const { id, server } = this.thing.instance;
    return { instance: id, server };
  }

  content() {
    const { instance } = this.thing;
    return [
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
    ];
  }

  actions() {
    const { instance } = this.thing;
    const done = async () => {
      await this.refresh();
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
    const { instance, proxy } = this.thing;
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
                proxy ? address(proxy) : (instance.address ?? instance.proxyId),
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
