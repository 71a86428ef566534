// Elements.

const NS = "http://www.w3.org/2000/svg";
let count = 0;

export const uid = () => `nf${++count}`;

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
