// What the reader sees, and whether the service assigns by itself.

import { may, post, session } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { dateTime, duration } from "../../lib/formats.js";
import { live } from "../../lib/live.js";
import { say } from "../../lib/words.js";
import { confirm } from "../../parts/dialog.js";
import { facts } from "../../parts/facts.js";
import { roleBadge } from "../../parts/badges.js";
import { toast } from "../../parts/toast.js";
import { choices } from "../../shell/choices.js";

export function appearance(language) {
  const { me } = session;
  return h(
    "section",
    { key: "appearance", class: "card" },
    h("h2", {}, say("settings.you")),
    choices(language),
    facts([
      [say("column.actor"), me.actor],
      [say("column.role"), h("span", {}, roleBadge(me.role), ` ${say(`role.${me.role}`)}`)],
      [say("settings.ends"), me.expiresAt && dateTime(me.expiresAt)],
      [say("settings.idle"), me.idleSeconds && duration(me.idleSeconds)],
    ]),
  );
}

export function running() {
  const { stats } = live;
  if (!stats) return null;
  const { paused } = stats;
  const tone = paused ? "warn" : "good";
  return h(
    "section",
    { key: "running", class: "card" },
    h("h2", {}, say("settings.assigning")),
    h(
      "div",
      { class: "row" },
      h("span", { class: `badge ${tone}` }, say(paused ? "settings.paused" : "settings.running")),
      may("admin") &&
        h("button", { id: "pause", type: "button", onclick: () => change(!paused) }, say(paused ? "resume" : "pause")),
    ),
    h("p", { class: "hint" }, say("settings.pauseHint")),
  );
}

function change(pause) {
  const word = pause ? "pause" : "resume";
  confirm({
    title: say(word),
    content: h("p", {}, say(`${word}.confirm`)),
    action: say(word),
    danger: pause,
    act: async () => {
      await post(`/${word}`);
      toast(say(`${word}d`));
    },
  });
}
