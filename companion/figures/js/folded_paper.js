// A sheet of paper folded by layers of two ReLUs, against one layer that buys its corners one by one.
import { columns, controls, drag, fmt, h, key, panel, path, plot, plural, put, root, s, sci, status } from "./kit.js";

const relu = (z) => Math.max(0, z);

/**
 * The tent map 2 · min(x, 1 − x), applied `depth` times by layers of two ReLUs; at depth 0 the paper is not folded.
 * @param {number} x
 * @param {number} depth
 */
export function folded(x, depth) {
  let u = x;
  for (let k = 0; k < depth; k++) u = 2 * relu(u) - 4 * relu(u - 0.5);
  return u;
}

/** @param {number} depth */
export const piecesOf = (depth) => 2 ** depth;

/**
 * How far one layer of so many units follows the folded paper from the left. One unit is spent on the first slope, and, where
 * they do not reach the end, one on going on at one half.
 * @param {number} depth
 * @param {number} units
 */
export const reach = (depth, units) => (units >= piecesOf(depth) ? 1 : Math.max(0, units - 1.5) / piecesOf(depth));

/**
 * The corners of that layer's line, both ends among them.
 * @param {number} depth
 * @param {number} units
 * @returns {number[][]}
 */
export function flat(depth, units) {
  const n = piecesOf(depth), end = reach(depth, units), whole = Array.from({ length: Math.floor(end * n) + 1 }, (_, k) => [k / n, folded(k / n, depth)]);
  if (end === 1) return whole;
  return end ? [...whole, [end, 0.5], [1, 0.5]] : [[0, 0.5], [1, 0.5]];
}

/**
 * The mean squared gap of the two over [0, 1]: where the line stays at one half, it is that of a straight piece from 0 to 1, 1/12.
 * @param {number} depth
 * @param {number} units
 */
export const gap = (depth, units) => (1 - reach(depth, units)) / 12;

const MOST = 300;

function render({ model, el }) {
  const frame = root(el), C = controls(frame, model, { update }), S = C.S, log = Math.log2;
  const say = status(), head = h("output", { class: "nfig-big" }), body = h("tbody");
  const upper = plot(frame, { x: [0, 1], y: [0, 1], aspect: 0.46, yticks: 2, xlabel: "x", ylabel: "y", label: "The folded paper and what one hidden layer makes of it" }, (p) => {
    const line = (depth) => Array.from({ length: piecesOf(depth) + 1 }, (_, k) => [k / piecesOf(depth), folded(k / piecesOf(depth), depth)]);
    const parts = [path(p, line(S.depth - 1), "nfig-zero"), path(p, line(S.depth), "nfig-curve-a"), path(p, flat(S.depth, S.units), "nfig-curve-b nfig-dashed")];
    // Many pieces leave little room, so the lines get thinner.
    parts.slice(1).forEach((one) => one.setAttribute("style", `stroke-width:${Math.min(2.4, 0.4 * p.w / piecesOf(S.depth)).toFixed(2)}`));
    p.area.append(...parts);
  });
  const lower = plot(frame, { x: [-0.2, log(MOST) + 0.2], y: [0, 0.1], aspect: 0.4, xticks: [1, 4, 16, 64, 256].map((v) => [log(v), `${v}`]), yticks: [[0, "0"], [0.05, "0.05"]],
    xlabel: "units of the one layer", ylabel: "mean squared gap", label: "The mean squared gap against the units of the one layer, on a logarithmic axis" }, (p) => {
    /** @type {[number, number, string][]} */
    const marks = [[2 * S.depth, 14, "as many parameters"], [piecesOf(S.depth), 32, "exact"]];
    for (const [units, y, text] of marks) {
      const x = p.X(log(units)), left = x > p.w / 2;
      p.area.append(s("path", { class: "nfig-plumb", d: `M${x} 0V${p.high}` }), s("text", { x: x + (left ? -6 : 6), y, "text-anchor": left ? "end" : "start" }, text));
    }
    p.area.append(path(p, Array.from({ length: MOST }, (_, i) => [log(i + 1), gap(S.depth, i + 1)]), "nfig-curve-b"),
      s("circle", { cx: p.X(log(S.units)), cy: p.Y(gap(S.depth, S.units)), r: 6, class: "nfig-dot-a" }));
  });
  drag(lower, (x) => C.change("units", 2 ** x));

  function update() {
    const { depth, units } = S, pieces = piecesOf(depth), used = Math.min(units, pieces), left = gap(depth, units), numbers = [6 * depth + 1, 3 * units + 1];
    const row = (name, ...values) => h("tr", {}, h("th", { scope: "row" }, name), ...values.map((v) => { const c = h("td"); put(c, v, `${v}`); return c; }));
    body.replaceChildren(row("deep", 2 * depth, pieces, numbers[0]), row("wide", units, used, numbers[1]));
    put(head, left, left ? `mean squared gap ${sci(left, 4)}` : "no gap");
    head.classList.toggle("nfig-good", left === 0);
    say.textContent = `${plural(depth, "layer")} of two units ${depth === 1 ? "folds" : "fold"} the paper into ${pieces} straight pieces with ${numbers[0]} parameters. ` +
      `One layer of ${plural(units, "unit")}, ${numbers[1]} parameters, ` + (left === 0 ? `makes the same ${pieces} pieces` + (units > used ? `; ${units - used} of its units have nothing to do.` : ", and each unit is needed.") :
      units === 1 ? "stays flat at one half." : `makes ${plural(used, "piece")} and follows the paper up to x = ${fmt(reach(depth, units), 3)}.`);
    upper.draw();
    lower.draw();
  }
  const table = h("table", { class: "nfig-table" }, h("caption", {}, "Deep: layers of two units. Wide: one layer."), h("thead", {}, h("tr", {}, h("td", {}),
    ...["units", "pieces", "parameters"].map((t) => h("th", { scope: "col" }, t)))), body);
  el.append(columns(h("div", {}, upper.node, key(["nfig-ink-a", "━", "folded by depth"], ["nfig-ink-b", "╍", "one hidden layer"], ["", "─", "before the last fold"]),
    lower.node, key(["", "✥", "drag to change the units"])), panel(head, C.rows.depth, C.rows.units)), table, say, C.foot);
  update();
  return frame.off;
}
export default { render };
