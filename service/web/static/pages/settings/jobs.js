// The actions on many things: how far each is, and an end to it.

import { ask, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { number, when } from "../../lib/formats.js";
import { Listing } from "../../lib/listing.js";
import { meaning, say } from "../../lib/words.js";
import { confirm } from "../../parts/dialog.js";
import { empty } from "../../parts/states.js";
import { table } from "../../parts/table.js";
import { toast } from "../../parts/toast.js";

const REFRESH_MS = 2000;
const TONES = { done: "good", failed: "bad", revoked: "bad", queued: "busy", running: "busy" };

export class Jobs {
  constructor(changed, signal) {
    this.listing = new Listing("/jobs", changed, signal);
    signal.addEventListener("abort", () => clearTimeout(this.due), { once: true });
    this.signal = signal;
  }

  // And again, for as long as one of them is under way.
  async load() {
    clearTimeout(this.due);
    await this.listing.reload();
    const busy = this.listing.items?.some((job) => !job.endedAt);
    if (busy && !this.signal.aborted) this.due = setTimeout(() => this.load(), REFRESH_MS);
  }

  view() {
    const { listing } = this;
    const columns = [
      { name: "what", head: say("job.what"), cell: what },
      { name: "state", head: say("column.status"), cell: state },
      { name: "progress", head: say("job.progress"), cell: far },
      { name: "failed", head: say("bulk.failed"), number: true, cell: (job) => number(job.failedCount) },
      { name: "actor", head: say("column.actor"), cell: (job) => h("span", { class: "cut" }, job.actor) },
      { name: "createdAt", head: say("column.since"), cell: (job) => when(job.createdAt) },
      {
        name: "act",
        head: say("column.act"),
        cell: (job) =>
          h(
            "span",
            {},
            !job.endedAt && h("button", { type: "button", onclick: () => this.stop(job) }, say("job.stop")),
          ),
      },
    ];
    return h(
      "section",
      { key: "jobs", class: "card" },
      h("h2", {}, say("jobs")),
      table({ label: say("jobs"), columns, listing, keyOf: (job) => job.id, nothing: empty(say("jobs.none")) }),
    );
  }

  stop(job) {
    confirm({
      title: say("job.stop"),
      content: h("p", {}, say("job.stopConfirm")),
      action: say("job.stop"),
      danger: true,
      act: async () => {
        await ask("DELETE", `/jobs/${segment(job.id)}`);
        await this.load();
        toast(say("job.stopped"));
      },
    });
  }
}

const what = (job) => h("span", {}, `${meaning("bulk", job.action)} · ${say(`nav.${job.target}`)}`);

const state = (job) => h("span", { class: `badge ${TONES[job.state] ?? "quiet"}` }, meaning("job", job.state));

const far = (job) =>
  job.total === null
    ? number(job.done)
    : say("list.of", { range: number(job.done), total: number(job.total) });
