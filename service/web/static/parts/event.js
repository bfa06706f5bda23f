// One event: when, what, about whom, by whom.

import { h } from "../lib/dom.js";
import { when } from "../lib/formats.js";
import { link } from "../lib/router.js";
import { meaning, say } from "../lib/words.js";
import { levelBadge } from "./badges.js";

const SHOWN = 8; // characters of an id; the whole of it is a hover away

// Links to the instance and to the proxy that it is about.
export function objects(event) {
  const parts = [];
  if (event.name && event.server)
    parts.push(h("a", { href: link("instances", { open: event.name, at: event.server }) }, event.name));
  if (event.server && !event.name) parts.push(h("span", {}, event.server));
  if (event.proxyId)
    parts.push(
      h(
        "a",
        { class: "mono", title: event.proxyId, href: link("proxies", { open: event.proxyId }) },
        event.proxyId.slice(0, SHOWN),
      ),
    );
  return parts;
}

export const what = (event) => meaning("event", event.type);
export const why = (event) => reasonOf(event.reason);

// A reason of the pool's in words; a logout has the code by which WhatsApp said so.
export function reasonOf(reason) {
  const code = /^logged_out_(\d+)$/.exec(reason ?? "")?.[1];
  return code ? say("reason.logged_out", { code }) : meaning("reason", reason ?? "");
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
