// A drawer with the one thing that the address names, read anew as the figures move.

import { may } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { moved } from "../lib/live.js";
import { say } from "../lib/words.js";
import { show } from "./dialog.js";
import { History } from "./history.js";
import { failed, waiting } from "./states.js";

const REFRESH_MS = 3000;

// Who extends it says how to `read()` the thing, what its `content()` is, and what its history is `about()`.
export class Drawer {
  // `closed` is called when the reader shuts it, `changed` when the thing is another afterwards.
  constructor(closed, changed, signal) {
    Object.assign(this, { closed, changed, signal, key: "", view: null });
    signal.addEventListener("abort", () => this.view?.close(), { once: true });
    moved(() => this.refresh(), REFRESH_MS, signal);
  }

  // Shows the thing of `key`, or nothing for "".
  place(key, title) {
    if (key === this.key) return;
    Object.assign(this, { key, thing: null, problem: null, history: null });
    this.view?.close();
    if (!key) return;
    const view = (this.view = show("drawer", title, { closed: () => this.gone(view) }));
    draw(view.body, waiting());
    this.load();
  }

  async refresh() {
    if (!this.view) return;
    await Promise.all([this.load(), this.history?.load()]);
  }

  gone(view) {
    if (view !== this.view) return;
    this.view = null;
    const own = this.key;
    this.key = "";
    if (own && !this.signal.aborted) this.closed();
  }

  async load() {
    const { key, signal } = this;
    try {
      const thing = await this.read();
      if (key !== this.key) return;
      Object.assign(this, { thing, problem: null });
      if (may("admin")) this.history ??= new History(this.about(), () => this.tell(), signal);
    } catch (problem) {
      if (signal.aborted || key !== this.key) return;
      if (problem.status === 404) Object.assign(this, { thing: null, history: null });
      this.problem = problem;
    }
    this.tell();
  }

  tell() {
    const { view, thing, problem } = this;
    if (!view || (!thing && !problem)) return;
    draw(
      view.body,
      problem && failed(problem, () => this.load()),
      thing && this.content(),
      thing && (may("admin") ? this.history?.view() : h("p", { class: "hint" }, say("role.reads"))),
    );
  }
}
