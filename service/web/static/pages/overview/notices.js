// What stands in the way, each with the button that ends it where a human may.

import { may, post } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { dateTime } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { confirm } from "../../parts/dialog.js";
import { notice } from "../../parts/states.js";
import { toast } from "../../parts/toast.js";

export function notices(stats) {
  return [
    ...stats.brake.servers.map(brake),
    ...stats.servers
      .filter((server) => server.suspect)
      .map((server) =>
        told(
          `suspect ${server.name}`,
          "bad",
          say("notice.suspect", {
            server: server.name,
            reason: server.suspect.reason,
            time: dateTime(server.suspect.since),
          }),
        ),
      ),
    ...stats.warnings.map((warning) => told(`warning ${warning}`, "bad", warning)),
    stats.paused &&
      told(
        "paused",
        "warn",
        say("notice.paused"),
        may("admin") && h("button", { type: "button", onclick: resume }, say("resume")),
      ),
    stats.unreadServers.length > 0 &&
      told("unread", "warn", say("notice.unread", { servers: stats.unreadServers.join(", ") })),
    stats.mode === "observe" && told("observe", "warn", say("notice.observe")),
  ].filter(Boolean);
}

function told(key, level, text, button = null) {
  const node = notice(level, h("p", {}, text), button);
  node.key = key;
  return node;
}

function brake({ server, half, reason, since }) {
  const text = say("notice.brake", { server, half: say(`half.${half}`), reason, time: dateTime(since) });
  return told(
    `brake ${server} ${half}`,
    "bad",
    text,
    may("admin") && h("button", { type: "button", onclick: () => release(server, half) }, say("brake.release")),
  );
}

function release(server, half) {
  confirm({
    title: say("brake.release"),
    content: h("p", {}, say("brake.confirm", { server, half: say(`half.${half}`) })),
    action: say("brake.release"),
    danger: true,
    act: async () => {
      await post("/brake/release", { server, half });
      toast(say("brake.released", { server }));
    },
  });
}

function resume() {
  confirm({
    title: say("resume"),
    content: h("p", {}, say("resume.confirm")),
    action: say("resume"),
    act: async () => {
      await post("/resume");
      toast(say("resumed"));
    },
  });
}
