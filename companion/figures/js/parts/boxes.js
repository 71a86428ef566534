// A graph of values from top to bottom: a box for each, lines to what is made from it.
import { s } from "../kit.js";

const WIDE = 118, TALL = 46;

/**
 * How a value is made, as one writes it; an operation with a blank or a bracket is written out already.
 * @param {[string, string, string[], number, number]} node
 */
export const made = ([name, op, [a, b]]) => (!a ? name : `${name} = ${/[ (]/.test(op) ? op : b ? `${a} ${op} ${b}` : op === "²" ? `${a}²` : `${op} ${a}`}`);

// The graph; draw takes for each box its two texts, left and right, and whether it is in hand, and for each line { cls, text, width }.
export function boxes(label, nodes) {
  const at = Object.fromEntries(nodes.map(([name, , , column, row]) => [name, [60 + 120 * column, 26 + 66 * row]])), high = Math.max(...nodes.map((n) => n[4])), wide = Math.max(2, ...nodes.map((n) => n[3]));
  const lines = s("g"), bodies = s("g");
  const svg = s("svg", { viewBox: `0 0 ${120 + 120 * wide} ${66 * high + 54}`, class: "nfig-svg nfig-net nfig-boxes", role: "group", "aria-label": label }, lines, bodies);
  const drawn = nodes.map((node) => {
    const [x, y] = at[node[0]], left = s("text", { x: 7, y: 38, class: "nfig-left" }), right = s("text", { x: WIDE - 7, y: 38, class: "nfig-right" });
    const body = s("g", { class: "nfig-neuron", transform: `translate(${x - WIDE / 2} ${y - TALL / 2})` }, s("rect", { width: WIDE, height: TALL, rx: 8, class: "nfig-cell" }),
      s("rect", { width: WIDE, height: TALL, rx: 8, class: "nfig-cellring" }), s("text", { x: 8, y: 17, class: "nfig-name" }, made(node)), left, right);
    bodies.append(body);
    return { body, left, right };
  });
  return { svg, draw(texts, wires) {
    texts.forEach(({ left, right, hand }, i) => {
      drawn[i].left.textContent = left;
      drawn[i].right.textContent = right;
      drawn[i].body.classList.toggle("nfig-picked", Boolean(hand));
    });
    const named = [], all = nodes.flatMap(([name, , parents], i) => parents.map((parent, k) => {
      const { cls = "", text = "", width = 2 } = wires[i][k], same = parents.length === 2 && parents[0] === parents[1], apart = same ? (k ? 14 : -14) : 0;
      const [x1, y1] = at[parent], [x2, y2] = at[name], ends = { x1: x1 + apart, y1: y1 + TALL / 2, x2: x2 + apart, y2: y2 - TALL / 2 };
      if (text) named.push(s("text", { x: (ends.x1 + ends.x2) / 2 + (same ? (k ? 6 : -6) : 0), y: (ends.y1 + ends.y2) / 2 + 4, class: "nfig-under",
        ...(same ? { style: `text-anchor:${k ? "start" : "end"}` } : {}) }, text));
      return s("line", { ...ends, "stroke-width": width, class: `nfig-wire ${cls}` });
    }));
    lines.replaceChildren(...all, ...named);
  } };
}
