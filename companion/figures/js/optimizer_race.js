// Six optimizers from one start: their paths on a map, their losses against the step, and who is ahead.
import { columns, controls, fmt, h, key, panel, path, plot, plural, put, root, s, sci, short, status } from "./kit.js";
import { terrain } from "./parts/contours.js";
import { ground } from "./parts/surface.js";

/** @typedef {{ surface: import("./parts/surface.js").Surface, turn: number[], fold: number, at: number[], bow: number }} Ground */

/**
 * Loss and gradient of a surface over other coordinates: turned, bent, moved; in the order of figures/optimizers.py.
 * @param {Ground} land
 * @param {number[]} w
 */
export function look({ surface, turn: [c, s], fold, at: [a, b] }, [x, y]) {
  const u = c * x + s * y, v = c * y - s * x, { loss, slope: [g, gv] } = ground(surface, [u - a, v - fold * u * u - b]), gu = g - 2 * fold * u * gv;
  return { loss: Math.max(0, loss), slope: [c * gu - s * gv, s * gu + c * gv] };
}

// What each method steps along, for one weight: its slope g, and what is remembered of it in m and s.
const ALONG = {
  sgd: (g) => g,
  momentum: (g, o, mu) => (o.m = mu * o.m + g),
  nesterov: (g, o, mu) => g + mu * (o.m = mu * o.m + g),
  adagrad: (g, o) => g / (Math.sqrt(o.s += g * g) + 1e-10),
  rmsprop: (g, o) => g / (Math.sqrt(o.s = 0.99 * o.s + (1 - 0.99) * g * g) + 1e-8),
  adam(g, o) {
    o.m = 0.9 * o.m + (1 - 0.9) * g;
    o.s = 0.999 * o.s + (1 - 0.999) * g * g;
    return o.m / (1 - (o.k1 *= 0.9)) / (Math.sqrt(o.s / (1 - (o.k2 *= 0.999))) + 1e-8);
  },
};

/**
 * The places of one optimizer; the path ends early where it is beyond far.
 * @param {Ground} land
 * @param {number[]} start
 * @param {string} method
 * @param {{ lr: number, mu: number, steps: number, far: number }} how
 */
export function pathOf(land, start, method, { lr, mu, steps, far }) {
  const way = [start], kept = start.map(() => ({ m: 0, s: 0, k1: 1, k2: 1 }));
  for (let w = start; way.length <= steps && w.every((v) => Math.abs(v) <= far); way.push(w)) {
    const { slope } = look(land, w);
    w = w.map((v, i) => v - lr * ALONG[method](slope[i], kept[i], mu));
  }
  return way;
}

/**
 * The rate of the grid with the lowest loss after all steps; of several, the smallest.
 * @param {Ground} land
 * @param {number[]} start
 * @param {string} method
 * @param {{ mu: number, steps: number, far: number }} how
 * @param {number[]} grid
 */
export function bestRate(land, start, method, how, grid) {
  let least = Infinity, best = grid[0];
  for (const lr of grid) {
    const way = pathOf(land, start, method, { ...how, lr }), loss = way.length > how.steps ? look(land, way[how.steps]).loss : Infinity;
    if (loss < least) [least, best] = [loss, lr];
  }
  return best;
}

/**
 * The step at which a path left twice the map for good; 0 where it is inside.
 * @param {number[][]} way
 * @param {number[]} edge
 */
export function leftAt(way, edge) {
  let j = way.length;
  while (j > 1 && way[j - 1].some((v, i) => Math.abs(v) > 2 * edge[i])) j -= 1;
  return j < way.length ? j : 0;
}

// Colour, dashes and mark of each method.
const LOOKS = {
  sgd: ["var(--nf-fg)", "", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"],
  momentum: ["var(--nf-b)", "8 6", "M0-6L6 5H-6z"],
  nesterov: ["color-mix(in srgb,var(--nf-bad),magenta 45%)", "3 5", "M0 6L6-5H-6z"],
  adagrad: ["var(--nf-ok)", "9 5 0 5", "M-5-5H5V5H-5z"],
  rmsprop: ["color-mix(in srgb,var(--nf-a),magenta 40%)", "0 5", "M0-7L6 0L0 7L-6 0z"],
  adam: ["var(--nf-a)", "18 7", "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z"],
};

function lined(node, name, gone) {
  const [colour, dash] = LOOKS[name];
  node.setAttribute("style", `fill:none;stroke:${colour};stroke-width:2;stroke-dasharray:${dash};stroke-linecap:round;opacity:${gone ? 0.4 : 1}`);
  return node;
}

const mark = (name, x, y) => s("path", { d: LOOKS[name][2], transform: `translate(${x} ${y})`, style: `fill:${LOOKS[name][0]};stroke:var(--nf-bg)` });

function render({ model, el }) {
  const frame = root(el), [grounds, edge, far, grid] = ["grounds", "edge", "far", "grid"].map((k) => model.get(k)), names = Object.keys(LOOKS);
  const C = controls(frame, model, { update, show: { rate: (i) => short(grid[i]) } }), S = C.S, last = C.spec("step").last;
  const say = status(), head = h("output", { class: "nfig-big" }), out = {}, land = () => grounds[S.surface], height = (w) => look(land(), w).loss;
  let /** @type {any[]} */ runs = [];
  for (const n of names) {
    out[n] = h("span", { class: `nfig-out nfig-${n}` });
    C.rows[n].setAttribute("style", "grid-template-columns:auto 1fr auto;gap:.3rem");
    C.rows[n].lastChild.append(" ", s("svg", { width: 32, height: 16, viewBox: "0 -8 32 16", style: "vertical-align:-3px", "aria-hidden": "true" }, lined(s("path", { d: "M0 0H32" }), n, 0), mark(n, 16, 0)));
    C.rows[n].append(out[n]);
  }

  const inside = (v, [lo, hi]) => Math.max(lo, Math.min(hi, v)), so = (r) => r.way.slice(0, r.k + 1);
  const map = terrain(frame, C, edge, "The paths; arrow keys move their start", height, () => land().bow, (p) =>
    [...runs.map((r) => lined(path(p, so(r), ""), r.name, r.gone)), ...runs.map((r) => mark(r.name, p.X(inside(r.w[0], p.x)), p.Y(inside(r.w[1], p.y))))]);
  const fall = plot(frame, { x: [-1, last + 1], y: [-6, 1.5], aspect: 0.6, xticks: 4, yticks: [[1, "10"], [0, "1"], [-2, "0.01"], [-4, "10⁻⁴"], [-6, "10⁻⁶"]], xlabel: "steps", ylabel: "loss", label: "The losses on a logarithmic scale" }, (p) => {
    const at = (w) => inside(Math.log10(height(w)), p.y);
    p.area.append(...runs.map((r) => lined(path(p, so(r).map((w, i) => [i, at(w)]), ""), r.name, r.gone)), ...runs.map((r) => mark(r.name, p.X(r.k), p.Y(at(r.w)))));
  });

  function update() {
    const how = { mu: S.mu, steps: last, far }, start = [S.w1, S.w2], each = S.rates === "best";
    C.part("rate").input.disabled = each;
    const all = names.map((name) => {
      const lr = each ? bestRate(land(), start, name, how, grid) : grid[S.rate], way = pathOf(land(), start, name, { ...how, lr }), k = Math.min(S.step, way.length - 1), w = way[k], loss = height(w), gone = leftAt(way.slice(0, k + 1), edge);
      put(out[name], loss, (each ? `${short(lr)} → ` : "") + (gone ? "away" : sci(loss)));
      Object.assign(out[name].dataset, { w: w.join(" "), rate: lr, gone });
      return { name, lr, way, k, w, loss, gone };
    });
    runs = all.filter((r) => S[r.name]);
    const told = (r) => C.spec(r.name).label + (each ? ` (η = ${short(r.lr)})` : ""), left = runs.filter((r) => !r.gone).sort((a, b) => a.loss - b.loss), gone = runs.filter((r) => r.gone), first = sci(height(start));
    put(head, left[0]?.loss ?? 0, left.length ? (S.step ? `${told(left[0])} is ahead` : "at the start") : runs.length ? "all have run away" : "no method is chosen");
    say.textContent = `From (${fmt(S.w1, 1)}, ${fmt(S.w2, 1)}), where the loss is ${first}, ` + (S.step ? `after ${plural(S.step, "step")} ${each ? `each at the best of ${grid.length} rates for ${last} steps` : `at η = ${short(grid[S.rate])}`}: ` +
      (left.map((r) => `${told(r)} ${sci(r.loss)}`).join(", ") || "no loss to compare") + "." + gone.map((r) => ` ${told(r)} runs away at step ${r.gone}.`).join("") : "no step is taken yet.");
    map.draw();
    fall.draw();
  }

  el.append(columns(h("div", {}, map.node, key(["nfig-ink-a", "●", "start: drag it"]), fall.node),
    panel(C.rows.surface, C.rows.rates, C.rows.rate, C.rows.mu, head, h("div", {}, ...names.map((n) => C.rows[n])), h("div", { style: "columns:2" }, C.rows.w1, C.rows.w2))), C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
