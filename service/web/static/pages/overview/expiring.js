// How many proxies end within a week.

import { get } from "../../lib/api.js";
import { number } from "../../lib/formats.js";

const WITHIN = 604800;
const LIMIT = 100;
const AGAIN_MS = 60000;

export class Expiring {
  constructor(changed, signal) {
    Object.assign(this, { changed, signal, within: WITHIN, count: null, more: false });
    const timer = setInterval(() => this.load(), AGAIN_MS);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    this.load();
  }

  async load() {
    try {
      const page = await get("/proxies", { expiring: WITHIN, sort: "expiresAt", limit: LIMIT }, this.signal);
      Object.assign(this, {
        count: page.total ?? page.items.length,
        more: page.total === null && page.nextCursor !== null,
      });
    } catch (error) {
      if (this.signal.aborted) return;
      Object.assign(this, { count: null, more: false });
      console.info("what expires is not known:", error.message);
    }
    this.changed();
  }

  get some() {
    return this.count > 0;
  }

  // Of more than a page only that there are more.
  told() {
    return number(this.count) + (this.more ? "+" : "");
  }
}
