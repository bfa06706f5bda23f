// What stands around every page: where one can go, who one is, and whether the figures are live.

import { may, session } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { ago, number } from "../lib/formats.js";
import { icon } from "../lib/icons.js";
import { follow, live } from "../lib/live.js";
import { link } from "../lib/router.js";
import { say } from "../lib/words.js";

const TICK_MS = 1000;

export const PAGES = {
  overview: () => import("../pages/overview.js"),
  proxies: () => import("../pages/proxies.js"),
  instances: () => import("../pages/instances.js"),
  import: () => import("../pages/import.js"),
  audit: () => import("../pages/audit.js"),
  settings: () => import("../pages/settings.js"),
  drift: () => import("../pages/drift.js"),
};
const NEEDS = { import: "admin", audit: "admin" };
const WITHOUT_TAB = new Set(["drift"]);
let sheets = 0; // each is another, so that what a page that was left still draws is not seen

// Draws it into `root` until `signal`; answers the page's own place.
export function shell(root, name, signal, leave) {
  const status = h("p", { class: "live", id: "link", role: "status", "data-own": "" });
  const heading = h("h1", { tabindex: "-1" }, say(`nav.${name}`));
  draw(
    root,
    h(
      "div",
      { class: "shell", key: "shell" },
      h("a", { class: "skip", href: "#main", onclick: skip }, say("skip")),
      h(
        "header",
        { class: "top" },
        h("a", { class: "brand", href: link("overview") }, "evoproxy"),
        status,
        h(
          "span",
          { class: "who", title: session.me.actor },
          session.me.actor,
          h("span", { class: "hint" }, session.me.role),
        ),
        h("button", { id: "leave", type: "button", onclick: leave }, say("leave")),
      ),
      h("nav", { "aria-label": say("nav") }, tabs(name)),
      h(
        "main",
        { id: "main", tabindex: "-1" },
        h("div", { key: ++sheets, class: "sheet" }, heading, h("div", { class: "page" })),
      ),
    ),
  );
  const placed = document.getElementById("link");
  const tell = () => state(placed, name);
  const timer = setInterval(tell, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  follow(tell, signal);
  tell();
  document.getElementById("main").querySelector("h1").focus({ preventScroll: true });
  scrollTo(0, 0);
  return document.querySelector("#main .page");
}

function skip(event) {
  event.preventDefault(); // the address is the router's
  document.getElementById("main").focus();
}

function tabs(current) {
  const names = Object.keys(PAGES).filter((name) => !WITHOUT_TAB.has(name) && may(NEEDS[name] ?? "viewer"));
  return names.map((name) =>
    h(
      "a",
      { key: name, href: link(name), "aria-current": name === current ? "page" : null },
      icon(name),
      h("span", {}, say(`tab.${name}`)),
    ),
  );
}

function state(node, name) {
  const { stats, heardAt } = live;
  const quiet = live.state === "stale" || live.state === "unavailable";
  const since = quiet && heardAt > 0 ? ` · ${ago(heardAt)}` : "";
  node.dataset.state = live.state;
  draw(node, say(`live.${live.state}`), h("span", { "aria-hidden": "true" }, since)); // not read out each second
  document.documentElement.dataset.live = live.state;
  const alarm = stats?.unprotected ? `(${number(stats.unprotected)}) ` : "";
  const title = `${alarm}${say(`nav.${name}`)} · evoproxy`;
  if (document.title !== title) document.title = title;
}
