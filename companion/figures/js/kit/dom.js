// Elements.

const NS = "http://www.w3.org/2000/svg";
// In a notebook each widget carries its own copy of this library; ids must be unique on the page all the same.
const ids = Symbol.for("neurons.ids");

export function uid() {
  globalThis[ids] = (globalThis[ids] ?? 0) + 1;
  return `nf${globalThis[ids]}`;
}

function build(node, attrs, kids) {
  for (const [k, v] of Object.entries(attrs)) {
    if (k.startsWith("on")) node.addEventListener(k.slice(2), v);
    else if (v === true) node.setAttribute(k, "");
    else if (v !== false && v != null) node.setAttribute(k, v);
  }
  node.append(...kids);
  return node;
}

export const h = (tag, attrs = {}, ...kids) => build(document.createElement(tag), attrs, kids);
export const s = (tag, attrs = {}, ...kids) => build(document.createElementNS(NS, tag), attrs, kids);

// For text that study.py has already made safe.
export function markup(tag, attrs, html) {
  const node = h(tag, attrs);
  node.innerHTML = html;
  return node;
}
