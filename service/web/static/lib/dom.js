// Builds elements, and brings what is shown to what is meant in place. Data goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const KEPT = new Set(["open", "style"]); // the reader opens it; the page's policy allows styles through their object only
const PROPERTIES = new Set(["checked", "indeterminate", "value"]);

function set(node, name, value) {
  if (name === "key") node.key = String(value);
  else if (name.startsWith("on")) node[name] = value;
  else if (PROPERTIES.has(name)) node[name] = value ?? "";
  else if (typeof value === "boolean") node.toggleAttribute(name, value);
  else if (value !== null && value !== undefined) node.setAttribute(name, value);
}

function filled(node, given, children) {
  node.handlers = Object.keys(given).filter((name) => name.startsWith("on"));
  for (const child of children.flat(3))
    if (child !== null && child !== undefined && child !== false) node.append(child);
  for (const [name, value] of Object.entries(given)) set(node, name, value);
  node.told = given.value;
  return node;
}

// An element; `key` tells it from its siblings, `on…` are its handlers, false, null and undefined are left out.
export const h = (tag, given = {}, ...children) => filled(document.createElement(tag), given, children);
export const svg = (tag, given = {}, ...children) => filled(document.createElementNS(SVG, tag), given, children);

// Makes `root` hold `children`. What is there already stays, so that focus, scrolling and selections do too.
export function draw(root, ...children) {
  const fresh = children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);
  match(
    root,
    fresh.map((child) => (child instanceof Node ? child : document.createTextNode(child))),
  );
}

function match(parent, fresh) {
  const keyed = new Map();
  const rest = [];
  for (const node of parent.childNodes) {
    if (node.key === undefined) rest.push(node);
    else keyed.set(node.key, node);
  }
  let next = parent.firstChild;
  for (const wanted of fresh) {
    const old = wanted.key === undefined ? rest.shift() : keyed.get(wanted.key);
    if (wanted.key !== undefined) keyed.delete(wanted.key);
    const kept = old && (old === wanted || alike(old, wanted)) ? old : wanted;
    if (kept === next) next = next.nextSibling;
    else if (old && old === next) {
      next = next.nextSibling;
      old.replaceWith(kept);
    } else {
      parent.insertBefore(kept, next);
      if (old && old !== kept) old.remove();
    }
    if (kept !== wanted) morph(kept, wanted);
  }
  for (const node of [...rest, ...keyed.values()]) node.remove();
}

const alike = (old, wanted) =>
  old.nodeType === wanted.nodeType && old.nodeName === wanted.nodeName && old.key === wanted.key;

function morph(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of [...old.attributes])
    if (!KEPT.has(name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of old.handlers ?? []) old[name] = null;
  for (const name of wanted.handlers ?? []) old[name] = wanted[name];
  old.handlers = wanted.handlers;
  if (wanted.dataset?.own === undefined) match(old, [...wanted.childNodes]); // a select's options before its value
  if (wanted.type === "checkbox" || wanted.type === "radio") {
    old.checked = wanted.checked;
    old.indeterminate = wanted.indeterminate;
  }
  if (wanted.told !== undefined && old !== document.activeElement && old.value !== wanted.told) old.value = wanted.told;
  if (wanted.style?.cssText !== old.style?.cssText) old.style.cssText = wanted.style.cssText;
}
