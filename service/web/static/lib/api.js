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

// Who is asking, as GET /session told; `lost` is called when the service no longer knows, `changed` when the reader has
// logged in anew in another tab.
export const session = { me: null, lost: () => {}, changed: () => {} };

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

export const unreachable = () => new Problem(0, { code: "unreachable", detail: say("problem.unreachable") });

async function fetched(target, init, read = (response) => response.text()) {
  try {
    const response = await fetch(target, init);
    return { response, content: await read(response) };
  } catch (error) {
    throw init.signal?.aborted ? error : unreachable();
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no answer of the service's own: of a proxy before it, for instance
  }
}

// What an answer says. Throws Problem.
export function bodyOf(status, text, retryAfter = null) {
  const body = text ? parsed(text) : null;
  if (status >= 200 && status < 300) {
    if (body === undefined) throw unreachable();
    return body;
  }
  if (status === 401 && session.me) session.lost();
  const problem = new Problem(status, body ?? {}, retryAfter);
  if (problem.code === "csrf") {
    problem.message = say("problem.changed");
    session.changed();
  }
  throw problem;
}

// The answer with its status, headers and parsed body. Throws Problem, and AbortError when `signal` says so.
export async function ask(method, path, { query, body, headers, signal } = {}) {
  const init = { method, signal, headers: headersFor(method, headers), credentials: "same-origin" };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  const { response, content } = await fetched(url(path, query), init);
  const { status, headers: told } = response;
  return { status, headers: told, body: bodyOf(status, content, told.get("Retry-After")) };
}

// What the service sends to be kept, whole or not at all: its content and its name. Throws as `ask` does.
export async function file(path, query, signal) {
  const init = { signal, headers: headersFor("GET"), credentials: "same-origin" };
  const read = (response) => (response.ok ? response.blob() : response.text());
  const { response, content } = await fetched(url(path, query), init, read);
  if (!response.ok) bodyOf(response.status, content, response.headers.get("Retry-After"));
  return { content, name: /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"))[1] };
}

export const get = async (path, query, signal) => (await ask("GET", path, { query, signal })).body;
export const post = async (path, body = {}, query = {}) => (await ask("POST", path, { body, query })).body;

// A segment of a path: a name may hold anything.
export const segment = (name) => encodeURIComponent(name);
