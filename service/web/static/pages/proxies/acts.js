// What a human may do about one proxy. `done` gets the proxy as it is then, null when it is gone.

import { ask, post, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { address, dateTime, local } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { confirm, field, tick } from "../../parts/dialog.js";
import { facts } from "../../parts/facts.js";
import { toast } from "../../parts/toast.js";

const REVEALED_MS = 30000;

const path = (proxy) => `/proxies/${segment(proxy.id)}`;

export function disable(proxy, done) {
  const used = proxy.isUsed;
  confirm({
    title: say("proxy.disable"),
    content: [
      h(
        "p",
        {},
        say(used ? "disable.used" : "disable.free", { proxy: address(proxy), instance: proxy.assignedInstanceName }),
      ),
      used && tick("force", say("disable.force"), say("disable.forceHint")),
    ],
    action: say("proxy.disable"),
    danger: true,
    act: async (form) => {
      await done(await post(`${path(proxy)}/disable`, { force: form.has("force") }));
      toast(say("disable.done", { proxy: address(proxy) }));
    },
  });
}

export function enable(proxy, done) {
  confirm({
    title: say("proxy.enable"),
    content: h("p", {}, say("enable.confirm", { proxy: address(proxy) })),
    action: say("proxy.enable"),
    act: async () => {
      await done(await post(`${path(proxy)}/enable`));
      toast(say("enable.done", { proxy: address(proxy) }));
    },
  });
}

export function edit(proxy, etag, done) {
  const before = local(proxy.expiresAt ?? "");
  confirm({
    title: say("proxy.edit"),
    content: [
      field(
        say("column.group"),
        h("input", { name: "group", value: proxy.group, maxlength: "100", autocomplete: "off" }),
      ),
      field(
        say("column.labels"),
        h("input", { name: "labels", value: proxy.labels.join(", "), autocomplete: "off" }),
        say("edit.labelsHint"),
      ),
      field(
        say("column.expiresAt"),
        h("input", { name: "expiresAt", type: "datetime-local", value: before, step: "1" }),
        say("edit.expiryHint"),
      ),
    ],
    action: say("save"),
    act: async (form) => {
      const labels = form
        .get("labels")
        .split(",")
        .map((label) => label.trim())
        .filter(Boolean);
      const body = { group: form.get("group").trim(), labels };
      const expiry = form.get("expiresAt");
      if (expiry !== before) body.expiresAt = expiry ? new Date(expiry).toISOString() : null;
      try {
        await done((await ask("PATCH", path(proxy), { body, headers: { "If-Match": etag } })).body);
      } catch (problem) {
        if (problem.status !== 412) throw problem;
        await done(proxy); // as the other has left it
        return h("p", {}, say("edit.conflict"));
      }
      toast(say("edit.done", { proxy: address(proxy) }));
    },
  });
}

export function remove(proxy, done) {
  confirm({
    title: say("proxy.remove"),
    content: h("p", {}, say("remove.confirm", { proxy: address(proxy) })),
    action: say("proxy.remove"),
    danger: true,
    act: async () => {
      await ask("DELETE", path(proxy));
      await done(null);
      toast(say("remove.done", { proxy: address(proxy) }));
    },
  });
}

// The password is on the page for half a minute, or until the dialog is closed.
export function reveal(proxy) {
  const view = confirm({
    title: say("proxy.reveal"),
    content: h("p", {}, say("reveal.confirm", { proxy: address(proxy) })),
    action: say("proxy.reveal"),
    danger: true,
    act: async () => {
      const shown = await post(`${path(proxy)}/reveal`);
      setTimeout(view.close, REVEALED_MS);
      return [
        facts([
          [say("column.address"), h("span", { class: "mono" }, address(shown))],
          [say("column.username"), h("code", {}, shown.username)],
          [say("column.password"), h("code", { class: "secret" }, shown.password)],
        ]),
        h("p", { class: "hint" }, say("reveal.hint", { time: dateTime(new Date(Date.now() + REVEALED_MS)) })),
      ];
    },
  });
}
