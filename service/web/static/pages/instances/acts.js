// Giving and taking an instance's proxy by hand. `done` is called when something has changed.

import { ask, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { address } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { appliedBadge, phaseBadge } from "../../parts/badges.js";
import { confirm, field, tick } from "../../parts/dialog.js";
import { facts } from "../../parts/facts.js";
import { groupChoice } from "../../parts/group.js";

const path = (instance) => `/instances/${segment(instance.name)}/proxy`;

const choice = () => [
  groupChoice(),
  field(
    say("assign.pin"),
    h("input", { name: "proxyId", autocomplete: "off", spellcheck: "false" }),
    say("assign.pinHint"),
  ),
];

function chosen(form) {
  const body = {};
  if (form.get("proxyId").trim()) body.proxyId = form.get("proxyId").trim();
  if (form.get("group")) body.group = form.get("group");
  return body;
}

const result = (word, proxy) => [
  h("p", {}, say(word)),
  facts([
    [say("column.proxy"), h("span", { class: "mono" }, address(proxy))],
    [say("column.group"), proxy.group],
    [say("column.phase"), proxy.phase && phaseBadge(proxy)],
    [say("column.applied"), proxy.applied && appliedBadge(proxy.applied)],
  ]),
];

export function assign(instance, done) {
  confirm({
    title: say("instance.assign"),
    content: [h("p", {}, say("assign.confirm", { instance: instance.name })), choice()],
    action: say("instance.assign"),
    act: async (form) => {
      const { status, body } = await ask("POST", path(instance), {
        query: { server: instance.server },
        body: chosen(form),
      });
      await done();
      return result(status === 201 ? "assign.done" : "assign.held", body);
    },
  });
}

export function rotate(instance, done) {
  confirm({
    title: say("instance.rotate"),
    content: [h("p", {}, say("rotate.confirm", { instance: instance.name })), choice()],
    action: say("instance.rotate"),
    act: async (form) => {
      const { body } = await ask("POST", `${path(instance)}/rotate`, {
        query: { server: instance.server },
        body: chosen(form),
      });
      await done();
      return result("rotate.done", body);
    },
  });
}

export function release(instance, done) {
  confirm({
    title: say("instance.release"),
    content: [
      h("p", {}, say("release.confirm", { instance: instance.name })),
      tick("force", say("release.force"), say("release.forceHint")),
    ],
    action: say("instance.release"),
    danger: true,
    act: async (form) => {
      const query = { server: instance.server, force: form.has("force") ? "true" : "" };
      const { status, body } = await ask("DELETE", path(instance), { query });
      await done();
      return result(status === 202 ? "release.begun" : "release.done", body);
    },
  });
}
