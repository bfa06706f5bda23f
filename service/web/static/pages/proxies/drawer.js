// One proxy: what it is, who holds it, what happened to it, and what a human may do about it.

import { ask, may, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { address, dateTime } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { meaning, say } from "../../lib/words.js";
import { appliedBadge, phaseBadge, statusBadge } from "../../parts/badges.js";
import { Drawer } from "../../parts/drawer.js";
import { reasonOf } from "../../parts/event.js";
import { facts } from "../../parts/facts.js";
import { disable, edit, enable, remove, reveal } from "./acts.js";

export class ProxyDrawer extends Drawer {
  // Shows the proxy of `id`, or nothing for "".
  open(id) {
    this.place(id, say("proxy"));
  }

  async read() {
    const { body, headers } = await ask("GET", `/proxies/${segment(this.key)}`, { signal: this.signal });
    return { proxy: body, etag: headers.get("ETag") };
  }

  about() {
    return { proxyId: this.key };
  }

  content() {
    const { proxy } = this.thing;
    this.view.title(address(proxy));
    return [
      h(
        "p",
        { class: "badges" },
        statusBadge(proxy.status),
        proxy.phase && phaseBadge(proxy),
        proxy.applied && appliedBadge(proxy.applied),
      ),
      may("admin") && this.actions(),
      fields(proxy),
    ];
  }

  actions() {
    const { proxy, etag } = this.thing;
    const done = async (next = proxy) => {
      if (next) await this.refresh();
      else this.view?.close();
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
