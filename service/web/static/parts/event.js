// One event: when, what, about whom, by whom.

import { h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { link } from "../lib/router.js";
import { meaning, say } from "../lib/words.js";
import { levelBadge } from "./badges.js";

const SETTLED = /^(job|session|token)\./; // what the settings show
const SHOWN = 8; // characters of an id; the whole of it is a hover away

// Links to the instance and the proxy that it is about, or to where servers, jobs, sessions and tokens are shown.
export function objects(event) {
  const parts = [];
  if (event.name && event.server)
    parts.push(h("a", { href: link("instances", { open: event.name, at: event.server }) }, event.name));
  if (event.server && !event.name) parts.push(h("a", { href: link("settings") }, event.server));
  if (event.proxyId)
    parts.push(
      h(
        "a",
        { class: "mono", title: event.proxyId, href: link("proxies", { open: event.proxyId }) },
        event.proxyId.slice(0, SHOWN),
      ),
    );
  if (!parts.length && SETTLED.test(event.type)) parts.push(h("a", { href: link("settings") }, say("nav.settings")));
  return parts;
}

export const what = (event) => meaning("event", event.type);
export const why = (event) => reasonOf(event.reason);

// A reason of the pool's in words: a code, in some with values (`missing leased=40 …`), or the code by which WhatsApp
// ended a session. What has another shape is shown as it is.
export function reasonOf(reason) {
  const logout = /^logged_out_(\d+)$/.exec(reason ?? "")?.[1];
  if (logout) return say("reason.logged_out", { code: logout });
  const [code, ...pairs] = (reason ?? "").split(" ").map((part) => part.split("="));
  if (!pairs.length || pairs.some((pair) => pair.length !== 2)) return meaning("reason", reason ?? "");
  const values = Object.fromEntries(pairs.map(([name, value]) => [name, meaning("error", value)]));
  return meaning("reason", code[0], values);
}

export const entry = (event) =>
  h(
    "li",
    { key: event.id },
    when(event.at),
    levelBadge(event.level),
    h(
      "span",
      { class: "what" },
      h("strong", { title: event.type }, what(event)),
      objects(event),
      event.reason && h("span", { class: "hint" }, why(event)),
    ),
    h("span", { class: "hint actor", title: event.actor }, event.actor),
  );
