// The Evolution servers and how they are.

import { h } from "../../lib/dom.js";
import { duration, number, when } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { meaning, say } from "../../lib/words.js";
import { empty } from "../../parts/states.js";

export function servers(stats) {
  return h(
    "section",
    { key: "servers", class: "card" },
    h("h2", {}, say("servers")),
    stats.servers.length === 0
      ? empty(say("servers.none"), say("servers.noneHint"))
      : h(
          "div",
          { class: "scroll" },
          h(
            "table",
            { class: "plain data servers" },
            h("caption", { class: "unseen" }, say("servers")),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                h("th", { scope: "col" }, say("column.server")),
                h("th", { scope: "col" }, say("column.health")),
                ["leases", "open", "unprotected", "drift", "queue"].map((name) =>
                  h("th", { scope: "col", class: "number" }, say(`figure.${name}`)),
                ),
                h("th", { scope: "col", class: "number" }, say("column.lastPoll")),
              ),
            ),
            h("tbody", {}, stats.servers.map(row)),
          ),
        ),
  );
}

// What a server is in, worst first: [tone, words].
export function healthOf(server) {
  if (!server.configured) return ["warn", say("server.former")];
  if (server.error) return ["bad", meaning("error", server.error)];
  if (server.suspect) return ["bad", say("server.suspect")];
  if (server.ignored) return ["warn", say("server.ignored")];
  if (!server.read) return ["warn", say("server.unread")];
  return ["good", say("server.ok")];
}

function row(server) {
  const [tone, health] = healthOf(server);
  const { pace } = server;
  const waiting = pace ? pace.setsWaiting + pace.restartsWaiting : 0;
  const cell = (name, value, tone = "") =>
    h("td", { class: `number ${tone}`, "data-label": say(`figure.${name}`) }, value);
  return h(
    "tr",
    { key: `s${server.name}` },
    h(
      "th",
      { scope: "row" },
      h("a", { href: link("instances", { server: server.name }) }, server.name),
      server.host && h("span", { class: "hint" }, server.host),
    ),
    h(
      "td",
      { "data-label": say("column.health") },
      h("span", { class: `badge ${tone}`, title: server.suspect?.reason ?? null }, health),
    ),
    cell("leases", number(server.leases)),
    cell("open", number(server.instances.open ?? 0)),
    cell("unprotected", number(server.unprotected), server.unprotected > 0 ? "bad" : ""),
    cell("drift", number(server.drift)),
    cell(
      "queue",
      h(
        "span",
        {},
        number(waiting),
        pace?.etaSeconds ? h("span", { class: "hint" }, ` · ${duration(pace.etaSeconds)}`) : null,
      ),
    ),
    h("td", { class: "number", "data-label": say("column.lastPoll") }, when(server.lastPollAt)),
  );
}
