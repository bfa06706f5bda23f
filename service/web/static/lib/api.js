// Asks the API. What it refuses is a Problem, told in the reader's language.

import { locale, say } from "./words.js";

export const API = "/api/v1";
const METHODS_WITHOUT_EFFECT = new Set(["GET", "HEAD"]);

export class Problem extends Error {
  constructor(status, body, retryAfter = null) {
    super(body.detail ?? say("problem.unexpected", { status }));
    this.status = status;
    this.code = body.code ?? "";
    this.field = body.field ?? "";
    this.requestId = body.requestId ?? "";
    this.retryAfter = retryAfter;
  }
}

// Who is asking, as GET /session told; `lost` is called when the service no longer knows.
export const session = { me: null, lost: () => {} };

const RANKS = ["viewer", "admin", "superadmin"];
export const may = (role) => RANKS.indexOf(session.me?.role) >= RANKS.indexOf(role);

export function url(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return API + path + (text ? `?${text}` : "");
}

// A word that no other request has; crypto.randomUUID is there behind TLS only.
const once = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export function headersFor(method, given = {}) {
  const headers = { "Accept-Language": locale(), ...given };
  if (!METHODS_WITHOUT_EFFECT.has(method) && session.me?.csrf) headers["X-CSRF-Token"] = session.me.csrf;
  if (method === "POST") headers["Idempotency-Key"] = once();
  return headers;
}

async function fetched(target, init) {
  try {
    return await fetch(target, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem(0, { code: "unreachable", detail: say("problem.unreachable") });
  }
}

export function problemOf(status, text, retryAfter = null) {
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // no answer of the service's own: a proxy before it, for instance
  }
  if (status === 401 && session.me) session.lost();
  return new Problem(status, body, retryAfter);
}

// The answer with its status, headers and parsed body. Throws Problem, and AbortError when `signal` says so.
export async function ask(method, path, { query, body, headers, signal } = {}) {
  const init = { method, signal, headers: headersFor(method, headers), credentials: "same-origin" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  const response = await fetched(url(path, query), init);
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text, response.headers.get("Retry-After"));
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
}

export const get = async (path, query, signal) => (await ask("GET", path, { query, signal })).body;
export const post = async (path, body = {}, query = {}) => (await ask("POST", path, { body, query })).body;

// A segment of a path: a name may hold anything.
export const segment = (name) => encodeURIComponent(name);
