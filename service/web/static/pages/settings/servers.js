// The configured servers, and what a human may say about one that does not answer or is gone.

import { may, post, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { number, when } from "../../lib/formats.js";
import { live } from "../../lib/live.js";
import { say } from "../../lib/words.js";
import { confirm } from "../../parts/dialog.js";
import { empty } from "../../parts/states.js";
import { toast } from "../../parts/toast.js";
import { healthOf } from "../overview/servers.js";

export function servers() {
  const { stats } = live;
  if (!stats) return null;
  return h(
    "section",
    { key: "servers", class: "card" },
    h("h2", {}, say("servers")),
    h("p", { class: "hint" }, say("settings.serversHint")),
    stats.servers.length
      ? h("ul", { class: "things" }, stats.servers.map(one))
      : empty(say("servers.none"), say("servers.noneHint")),
  );
}

function one(server) {
  const [tone, health] = healthOf(server);
  const act = !may("admin")
    ? null
    : !server.configured
      ? h("button", { type: "button", class: "danger quiet", onclick: () => forget(server) }, say("server.forget"))
      : server.ignored
        ? h("button", { type: "button", onclick: () => ignore(server, false) }, say("server.heed"))
        : !server.read && h("button", { type: "button", onclick: () => ignore(server, true) }, say("server.ignore"));
  return h(
    "li",
    { key: server.name },
    h("div", {}, h("strong", {}, server.name), h("span", { class: "hint" }, server.host ?? "")),
    h("span", { class: `badge ${tone}` }, health),
    h("span", { class: "hint" }, say("server.leases", { count: number(server.leases) })),
    h("span", { class: "hint" }, say("column.lastPoll"), " ", when(server.lastPollAt)),
    act,
  );
}

function ignore(server, ignored) {
  const word = ignored ? "server.ignore" : "server.heed";
  confirm({
    title: say(word),
    content: h("p", {}, say(`${word}.confirm`, { server: server.name })),
    action: say(word),
    danger: ignored,
    act: async () => {
      await post(`/servers/${segment(server.name)}/ignore`, { ignored });
      toast(say("done"));
    },
  });
}

function forget(server) {
  confirm({
    title: say("server.forget"),
    content: h("p", {}, say("server.forget.confirm", { server: server.name, count: number(server.leases) })),
    action: say("server.forget"),
    danger: true,
    act: async () => {
      const done = await post(`/servers/${segment(server.name)}/forget`);
      return h("p", {}, say("server.forgot", { leases: number(done.leases), instances: number(done.instances) }));
    },
  });
}
