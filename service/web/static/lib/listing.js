// A list of the API, page by page with its cursors. Answers that were overtaken are dropped.

import { get } from "./api.js";

export class Listing {
  // `changed` is called whenever there is something else to show.
  constructor(path, changed, signal) {
    Object.assign(this, { path, changed, signal, items: null, total: null, asOf: null, problem: null, loading: false });
    this.query = {};
    this.cursors = [""];
    this.shown = [0];
    this.following = null;
    this.asked = 0;
  }

  get first() {
    return this.shown[this.cursors.length - 1] + 1;
  }

  // From its beginning, by other filters.
  load(query) {
    this.query = query;
    this.cursors = [""];
    this.shown = [0];
    return this.reload();
  }

  async reload() {
    const asked = ++this.asked;
    this.loading = true;
    this.changed();
    try {
      const page = await get(this.path, { ...this.query, cursor: this.cursors.at(-1) }, this.signal);
      if (asked !== this.asked) return;
      this.items = page.items;
      this.total = page.total;
      this.asOf = page.asOf ?? null;
      this.following = page.nextCursor;
      this.problem = null;
    } catch (error) {
      if (this.signal.aborted || asked !== this.asked) return;
      this.problem = error;
    }
    this.loading = false;
    this.changed();
  }

  next() {
    this.shown.push(this.shown.at(-1) + this.items.length);
    this.cursors.push(this.following);
    return this.reload();
  }

  previous() {
    this.shown.pop();
    this.cursors.pop();
    return this.reload();
  }
}
