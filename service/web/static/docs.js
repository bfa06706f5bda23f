// The API's description as a page: a list by subject, each route to be opened. Data goes in as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];

function h(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return node;
}

const listed = (names, values) =>
  h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": names.join(", ") },
    h("table", {},
      h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, values.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));

const prose = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
const nameOf = (ref) => ref.slice(ref.lastIndexOf("/") + 1);

// A schema in a few words: `string`, `one of "a", "b"`, `ProxyOut[]`.
function kind(schema, all) {
  const inner = (one) => kind(one, all);
  if (schema.$ref) return all[nameOf(schema.$ref)]?.enum ? inner(all[nameOf(schema.$ref)]) : nameOf(schema.$ref);
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(inner).join(" or ");
  if (schema.allOf) return schema.allOf.filter((one) => one.$ref).map(inner).join(" and ");
  if (schema.type === "array") return `${inner(schema.items ?? {})}[]`;
  if (schema.type === "object" && schema.additionalProperties?.type) return `map of ${inner(schema.additionalProperties)}`;
  const words = [].concat(schema.type ?? "any").join(" or ");
  return schema.format ? `${words} (${schema.format})` : words;
}

function limits(schema) {
  const inner = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const said = [];
  if (inner.minimum !== undefined) said.push(`at least ${inner.minimum}`);
  if (inner.maximum !== undefined) said.push(`at most ${inner.maximum}`);
  if (inner.maxLength !== undefined) said.push(`at most ${inner.maxLength} characters`);
  if (inner.maxItems !== undefined) said.push(`at most ${inner.maxItems}`);
  if (![undefined, null, ""].includes(schema.default)) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join(", ");
}

// What a model holds, and what stands in that, each in a drawer of its own that is filled when it is opened.
function model(schema, all, seen = new Set()) {
  const name = schema.$ref && nameOf(schema.$ref);
  const resolved = name ? all[name] : schema;
  const fields = Object.entries(resolved.properties ?? {});
  const inner = [...JSON.stringify(resolved).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
  const further = [...new Set(inner)].filter((one) => !seen.has(one) && one !== name && all[one].properties);
  return [
    resolved.description ? h("p", {}, prose(resolved.description)) : null,
    fields.length ? listed(["Field", "Is", ""], fields.map(([field, one]) => [
      h("code", {}, field), kind(one, all), (resolved.required ?? []).includes(field) ? limits(one) || "always there" : limits(one),
    ])) : null,
    ...further.map((one) => drawer([h("code", {}, one)], () => model({ $ref: `/${one}` }, all, new Set([...seen, name, one])))),
  ];
}

function drawer(summary, fill, given = {}) {
  const inside = h("div", { class: "inside" });
  const node = h("details", given, h("summary", {}, summary), inside);
  node.addEventListener("toggle", () => {
    if (node.open && !inside.hasChildNodes()) inside.append(...fill().flat().filter(Boolean));
  });
  return node;
}

const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function curl(method, path, operation) {
  const parts = ["curl"];
  if (method !== "get") parts.push(`-X ${method.toUpperCase()}`);
  parts.push(quoted(location.origin + path), `-H "Authorization: Bearer $TOKEN"`);
  const [media, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (content?.example) parts.push(`-H 'Content-Type: ${media}'`, `-d ${quoted(JSON.stringify(content.example))}`);
  else if (media) parts.push("-H 'Content-Type: text/plain'", "--data-binary @proxies.txt");
  return parts.join(" \\\n  ");
}

function opened(method, path, operation, all) {
  const taken = Object.entries(operation.requestBody?.content ?? {});
  const given = Object.entries(operation.responses).filter(([status]) => status < "400");
  const refused = Object.entries(operation.responses).filter(([status]) => status >= "400");
  const shown = [h("p", {}, prose(operation.description)), h("h3", {}, "Example"), h("pre", { tabindex: "0" }, curl(method, path, operation))];
  if (operation.parameters.length) {
    shown.push(h("h3", {}, "Parameters"), listed(["Name", "In", "Is", ""], operation.parameters.map((one) => [
      h("code", {}, one.name), one.in, kind(one.schema, all), [one.required ? "required" : "", limits(one.schema), one.description ?? ""].filter(Boolean).join(", "),
    ])));
  }
  if (taken.length) shown.push(h("h3", {}, `Body: ${taken.map(([media]) => media).join(", ")}`), ...model(taken[0][1].schema, all));
  for (const [status, answer] of given) {
    const [media, content] = Object.entries(answer.content ?? {})[0] ?? [];
    shown.push(h("h3", {}, `${status} ${answer.description}${media ? `: ${Object.keys(answer.content).join(", ")}` : ""}`));
    if (content?.schema) shown.push(...model(content.schema, all));
    if (content?.example) shown.push(h("pre", { tabindex: "0" }, JSON.stringify(content.example, null, 2)));
  }
  shown.push(h("h3", {}, "Refusals"), listed(["Status", "Codes"], refused.map(([status, answer]) => [status, answer.description.replaceAll("`", "")])));
  return shown;
}

// With the answers themselves instead of references to those that many share.
function resolved(operation, told) {
  const answers = Object.entries(operation.responses).map(([status, answer]) => [status, answer.$ref ? told.components.responses[nameOf(answer.$ref)] : answer]);
  return { ...operation, responses: Object.fromEntries(answers) };
}

function show(told) {
  const all = told.components.schemas;
  document.getElementById("about").textContent = told.info.description.replace(/([^\n])\n(?!\n)/g, "$1 ");
  const routes = Object.entries(told.paths).flatMap(([path, operations]) =>
    METHODS.filter((method) => operations[method]).map((method) => ({ method, path, operation: resolved(operations[method], told) })));
  for (const tag of told.tags) {
    const drawers = routes.filter(({ operation }) => operation.tags.includes(tag.name)).map(({ method, path, operation }) => {
      const summary = [h("span", { class: "method" }, method.toUpperCase()), h("span", { class: "path" }, path), h("span", { class: "about" }, operation.summary)];
      const node = drawer(summary, () => opened(method, path, operation, all), { id: operation.operationId });
      const refusals = Object.entries(operation.responses).map(([status, answer]) => `${status} ${answer.description}`);
      node.words = [method, path, operation.summary, tag.name, ...refusals].join(" ").toLowerCase();
      return node;
    });
    document.getElementById("tags").append(h("section", {}, h("h2", {}, tag.name), h("p", {}, prose(tag.description)), ...drawers));
  }
  document.getElementById("find").addEventListener("input", narrow);
  document.getElementById("docs").removeAttribute("aria-busy");
  const linked = document.getElementById(location.hash.slice(1));
  if (linked instanceof HTMLDetailsElement) {
    linked.open = true;
    linked.scrollIntoView();
  }
}

function narrow(event) {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    const drawers = [...section.querySelectorAll(":scope > details")];
    for (const one of drawers) one.hidden = !words.every((word) => one.words.includes(word));
    section.hidden = drawers.every((one) => one.hidden);
  }
  document.getElementById("none").hidden = [...document.querySelectorAll("section")].some((section) => !section.hidden);
}

const answer = await fetch("/openapi.json");
if (answer.ok) show(await answer.json());
else document.getElementById("about").textContent = "The description can't be loaded now; try again later.";
