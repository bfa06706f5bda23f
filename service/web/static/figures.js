// Draws one answer of GET /api/v1/stats. All text goes in as text, never as markup.

import { duration, number, percent, say, time } from "./words.js";

const STATUSES = ["used", "available", "cooling", "quarantined", "disabled"];
const GROUP_COLUMNS = ["total", ...STATUSES];

const at = (id) => document.getElementById(id);

function element(tag, content, className = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...[content].flat());
  return node;
}

function tile(name, value, { bad = false, swatch = "" } = {}) {
  const term = element("dt", swatch ? [element("i", "", swatch), say(name)] : say(name));
  return element("div", [term, element("dd", number(value))], bad ? "bad" : "");
}

function hero(name, value, note, bad = false) {
  const parts = [element("p", say(name), "name"), element("p", value, "value"), element("p", note, "note")];
  return element("div", parts, bad ? "hero bad" : "hero");
}

function notices(stats) {
  const found = stats.brake.servers.map((half) => [say("brake", { ...half, half: say(half.half) }), true]);
  for (const { name, suspect } of stats.servers)
    if (suspect) found.push([say("suspect", { server: name, reason: suspect.reason, time: time(suspect.since) }), true]);
  found.push(...stats.warnings.map((warning) => [warning, true]));
  if (stats.servers.length === 0) found.push([say("noServer"), false]);
  if (stats.unreadServers.length) found.push([say("waiting", { servers: stats.unreadServers.join(", ") }), false]);
  if (stats.paused) found.push([say("paused"), false]);
  if (stats.mode === "observe") found.push([say("observe"), false]);
  return found.map(([text, bad]) => element("li", text, bad ? "bad" : ""));
}

const left = (seconds) => (seconds === null ? [] : [say("left", { time: duration(seconds) })]);

function heroes(stats) {
  const states = stats.instances;
  const instances = Object.values(states).reduce((sum, count) => sum + count, 0);
  const note = [say("unprotectedNote"), ...left(stats.etaSeconds)].join(" · ");
  return [
    hero("unprotected", number(stats.unprotected), note, stats.unprotected > 0),
    hero("open", number(states.open ?? 0), say("openNote", { instances: number(instances) })),
    hero("used", number(stats.used), `${percent(stats.utilization)} ${say("usedNote")}`),
    hero("available", number(stats.available), say("availableNote", { total: number(stats.total) }), stats.available === 0),
  ];
}

function bar(stats) {
  return STATUSES.filter((status) => stats[status] > 0).map((status) => {
    const part = element("i", "", status);
    part.style.flexGrow = stats[status];
    return part;
  });
}

function leases(stats) {
  const states = stats.instances;
  return [
    tile("reserved", stats.reserved),
    tile("releasing", stats.releasing),
    tile("stuck", stats.stuck, { bad: stats.stuck > 0 }),
    tile("notApplied", stats.notApplied),
    tile("external", stats.external),
    tile("reservations", stats.reservations),
    tile("connecting_", states.connecting ?? 0),
    tile("close", states.close ?? 0),
  ];
}

function serverRow(server) {
  const state = server.error ?? say(!server.configured ? "former" : server.ignored ? "ignored" : server.read ? "ok" : "unread");
  return element("tr", [
    element("td", server.name),
    element("td", state, server.error ? "bad" : ""),
    element("td", number(server.leases)),
    element("td", number(server.instances.open ?? 0)),
    element("td", number(server.unprotected), server.unprotected > 0 ? "bad" : ""),
    element("td", [number(server.pace ? server.pace.setsWaiting + server.pace.restartsWaiting : 0), ...left(server.pace?.etaSeconds ?? null)].join(" · ")),
    element("td", time(server.lastPollAt)),
  ]);
}

function groupRow([name, counts]) {
  const cells = GROUP_COLUMNS.map((column) => element("td", number(counts[column])));
  return element("tr", [element("td", name || say("noGroup")), ...cells, element("td", percent(counts.utilization))]);
}

const heads = (names) => names.map((name) => element("th", say(name)));

export function draw(stats) {
  at("notices").replaceChildren(...notices(stats));
  at("heroes").replaceChildren(...heroes(stats));
  at("bar").replaceChildren(...bar(stats));
  at("bar").setAttribute("aria-label", STATUSES.map((name) => `${say(name)} ${number(stats[name])}`).join(", "));
  at("statuses").replaceChildren(...STATUSES.map((name) => tile(name, stats[name], { swatch: name })));
  at("leases").replaceChildren(...leases(stats));
  at("serverHead").replaceChildren(...heads(["name", "state", "leasesCount", "open", "unprotected", "queue", "lastPoll"]));
  at("servers").replaceChildren(...stats.servers.map(serverRow));
  at("groupHead").replaceChildren(...heads(["name", ...GROUP_COLUMNS, "utilization"]));
  at("groups").replaceChildren(...Object.entries(stats.groups).map(groupRow));
  at("groupCard").hidden = Object.keys(stats.groups).length === 0;
  at("asOf").textContent = say("asOf", { time: time(stats.at) });
}
