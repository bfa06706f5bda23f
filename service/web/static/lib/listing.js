// A list of the API, page by page with its cursors. Answers that were overtaken are dropped.

import { get } from "./api.js";
import { moved } from "./live.js";

const START = { cursor: "", first: 1 };
const REFRESH_MS = 5000;

export class Listing {
  // `changed` is called whenever there is something else to show; `first` is the number of the first of `items`.
  constructor(path, changed, signal) {
    Object.assign(this, { path, changed, signal, items: null, first: 1, total: null, asOf: null, following: null });
    Object.assign(this, { problem: null, loading: false, query: {}, answered: null, pages: [START], asked: 0 });
  }

  get atStart() {
    return this.pages.length === 1;
  }

  // From its beginning, by other filters.
  load(query) {
    this.query = query;
    this.pages = [START];
    return this.reload();
  }

  // Reads the page that is shown again as the figures move; the reader sees only what has changed.
  keepFresh() {
    moved(() => this.loading || this.read(), REFRESH_MS, this.signal);
  }

  reload() {
    this.loading = true;
    this.changed();
    return this.read();
  }

  async read() {
    const asked = ++this.asked;
    const { cursor, first } = this.pages.at(-1);
    try {
      const page = await get(this.path, { ...this.query, cursor }, this.signal);
      if (asked !== this.asked) return;
      if (!page.items.length && !page.nextCursor && !this.atStart) return this.previous(); // what was here is gone
      Object.assign(this, { items: page.items, first, total: page.total, asOf: page.asOf ?? null });
      Object.assign(this, { following: page.nextCursor, problem: null, answered: this.query });
    } catch (error) {
      if (this.signal.aborted || asked !== this.asked) return;
      this.problem = error;
      if (this.answered !== this.query) this.items = null; // they are those of other filters
    }
    this.loading = false;
    this.changed();
  }

  next() {
    this.pages.push({ cursor: this.following, first: this.first + this.items.length });
    return this.reload();
  }

  previous() {
    this.pages.pop();
    return this.reload();
  }
}
