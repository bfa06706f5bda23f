// One action on many things: first counted, then done as a job that shows how far it is.

import { ask, get, segment } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { number } from "../lib/formats.js";
import { meaning, say } from "../lib/words.js";
import { confirm, field, tick } from "./dialog.js";
import { facts } from "./facts.js";
import { groupChoice } from "./group.js";
import { progress } from "./progress.js";
import { refusal } from "./states.js";

const DANGEROUS = new Set(["disable", "remove", "rotate", "release"]);
const FORCED = new Set(["disable", "release"]);
const PLACED = new Set(["assign", "rotate"]);
const LABELS = new Set(["setLabels", "addLabels", "removeLabels"]);
const ASKED_MS = 500;
const SHOWN = 5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// `path` is the API's for such actions, `whom` the part of the body that names the things. `done` is called once the
// job is over.
export function begin(path, action, whom, done) {
  const counted = h("div", { class: "counted", "data-own": "" });
  const input =
    action === "setGroup"
      ? field(say("column.group"), h("input", { name: "group", maxlength: "100", autocomplete: "off" }))
      : LABELS.has(action) &&
        field(say("column.labels"), h("input", { name: "labels", autocomplete: "off" }), say("edit.labelsHint"));
  const view = confirm({
    title: say(`bulk.${action}`),
    content: [
      input,
      PLACED.has(action) && groupChoice(),
      FORCED.has(action) && tick("force", say(`bulk.force.${action}`)),
      counted,
    ],
    action: say(`bulk.${action}`),
    danger: DANGEROUS.has(action),
    act: (form, told) => run(path, bodyOf(action, whom, form), told, done),
  });
  const form = view.body.querySelector("form");
  const tell = () => foresee(path, bodyOf(action, whom, new FormData(form)), counted);
  form.onchange = tell; // what is typed there decides how many change
  tell();
}

function bodyOf(action, whom, form) {
  const body = { action, ...whom };
  if (action === "setGroup") body.group = form.get("group").trim();
  if (PLACED.has(action) && form.get("group")) body.group = form.get("group");
  if (LABELS.has(action))
    body.labels = form
      .get("labels")
      .split(",")
      .map((label) => label.trim())
      .filter(Boolean);
  if (form.has("force")) body.force = true;
  return body;
}

async function foresee(path, body, place) {
  draw(place, h("p", { role: "status" }, say("bulk.counting")));
  try {
    const { body: found } = await ask("POST", path, { body: { ...body, dryRun: true } });
    const more = found.more ? "+" : "";
    draw(
      place,
      facts([
        [say("bulk.matched"), number(found.matched) + more],
        [say("bulk.willChange"), h("strong", {}, number(found.willChange) + more)],
        [say("bulk.skipped"), byReason(found.skipped)],
      ]),
    );
  } catch (error) {
    draw(place, refusal(error));
  }
}

async function run(path, body, told, done) {
  let { body: job } = await ask("POST", path, { body });
  const own = `/jobs/${segment(job.jobId)}`;
  const stop = () => ask("DELETE", own).catch((error) => draw(told, refusal(error)));
  while (!job.endedAt) {
    draw(
      told,
      progress(say("bulk.running", { done: number(job.done) }), job.total ? job.done / job.total : null),
      h("button", { type: "button", onclick: stop }, say("bulk.stop")),
    );
    await pause(ASKED_MS);
    job = await get(own);
  }
  done();
  return [
    h("p", {}, say(`bulk.over.${job.state === "done" && job.failedCount ? "partly" : job.state}`)),
    facts([
      [say("bulk.changed"), number(job.changed)],
      [say("bulk.skipped"), byReason(job.skipped)],
      [say("bulk.failed"), job.failedCount ? number(job.failedCount) : null],
    ]),
    h(
      "ul",
      {},
      job.failed
        .slice(0, SHOWN)
        .map(({ id, code }) => h("li", { key: id }, h("code", {}, id), ` ${meaning("reason", code)}`)),
    ),
  ];
}

const byReason = (skipped) =>
  Object.entries(skipped)
    .map(([code, many]) => `${number(many)} ${meaning("reason", code)}`)
    .join(" · ") || null;
