// A squared loss over two weights, a price on them, and where both together are lowest: L2, L1, or a share of each.
import { columns, controls, drag, fact, fmt, h, key, panel, path, plot, put, region, root, s, short, status } from "./kit.js";

/** @typedef {{ wanted: number[], tilt: number, narrow: number, share: number }} Priced  the loss's lowest place, how its contours lie, L1's share */

const RAD = Math.PI / 180, TIE = 1e-12;

/**
 * Second derivatives of the loss: by w1 twice, by both, by w2 twice.
 * @param {Priced} priced
 */
export function bend({ tilt, narrow: n }) {
  const c = Math.cos(tilt * RAD), q = Math.sin(tilt * RAD);
  return [c * c / n + q * q * n, c * q * (1 / n - n), q * q / n + c * c * n];
}

/**
 * The loss at a place; 0 is its lowest.
 * @param {Priced} priced
 * @param {number[]} w
 */
export function lossOf(priced, w) {
  const [a, b, d] = bend(priced), [u, v] = w.map((x, i) => x - priced.wanted[i]);
  return (a * u * u + 2 * b * u * v + d * v * v) / 2;
}

/**
 * The price of two weights at the strength 1.
 * @param {number} share
 * @param {number[]} w
 */
export const priceOf = (share, [u, v]) => share * (Math.abs(u) + Math.abs(v)) + (1 - share) / 2 * (u * u + v * v);

const soft = (v, fee) => Math.sign(v) * Math.max(Math.abs(v) - fee, 0);

/**
 * Where loss and price together are lowest: which weights are 0 is tried case by case.
 * @param {Priced} priced
 * @param {number} strength
 * @returns {number[]}
 */
export function solution(priced, strength) {
  const [a, b, d] = bend(priced), { wanted: [x, y], share } = priced, p = a * x + b * y, q = b * x + d * y;
  const fee = strength * share, more = strength * (1 - share), least = fee + TIE, A = a + more, D = d + more;
  if (Math.abs(p) <= least && Math.abs(q) <= least) return [0, 0];
  const one = soft(p, fee) / A, two = soft(q, fee) / D;
  if (Math.abs(q - b * one) <= least) return [one, 0];
  if (Math.abs(p - b * two) <= least) return [0, two];
  const right = (/** @type {number[]} */ w, i) => Math.min(SIGNS[i][0] * w[0], SIGNS[i][1] * w[1]);
  const found = SIGNS.map(([m, n]) => [p - fee * m, q - fee * n]).map(([u, v]) => [D * u - b * v, A * v - b * u].map((w) => w / (A * D - b * b)));
  return found[found.map(right).reduce((best, v, i, all) => (v > all[best] ? i : best), 0)]; // its weights have the signs that were supposed
}
const SIGNS = [[1, 1], [1, -1], [-1, 1], [-1, -1]];

/**
 * The strength from which on weight i stays exactly 0; infinite for a price without L1.
 * @param {Priced} priced
 * @param {number} i
 * @param {number[]} strengths  rising; all weights are 0 at the last one
 */
export function zeroFrom(priced, i, strengths) {
  if (!priced.share) return Infinity;
  const last = strengths.reduce((found, v, k) => (solution(priced, v)[i] ? k : found), -1);
  let [low, high] = [strengths[last], strengths[last + 1]];
  for (let k = 0; last >= 0 && k < 50; k++) {
    const middle = (low + high) / 2;
    if (solution(priced, middle)[i]) low = middle;
    else high = middle;
  }
  return high;
}

const round = (n) => Array.from({ length: n + 1 }, (_, k) => [Math.cos(2 * Math.PI * k / n), Math.sin(2 * Math.PI * k / n)]);

/**
 * Places of equal loss, radius² / 2.
 * @param {Priced} priced
 * @param {number} radius
 */
export function ellipse({ wanted: [x, y], tilt, narrow }, radius) {
  const c = Math.cos(tilt * RAD), q = Math.sin(tilt * RAD), long = radius * Math.sqrt(narrow), wide = radius / Math.sqrt(narrow);
  return round(72).map(([u, v]) => [x + c * long * u - q * wide * v, y + q * long * u + c * wide * v]);
}

/**
 * Places of equal price, the corners on the axes among them.
 * @param {number} share
 * @param {number} price
 */
export function ball(share, price) {
  return round(96).map(([u, v]) => {
    const fee = share * (Math.abs(u) + Math.abs(v)), r = price && 2 * price / (fee + Math.sqrt(fee * fee + 2 * (1 - share) * price));
    return [r * u, r * v];
  });
}

const NAMES = ["w₁", "w₂"], kind = (share) => (share === 1 ? "L1" : share ? "elastic net" : "L2"), exact = (v) => (v ? fmt(v) : "exactly 0");

function render({ model, el }) {
  const frame = root(el), [strengths, steps, [ex, ey]] = ["strengths", "path", "edge"].map((k) => model.get(k)), out = Object.fromEntries(["w1", "w2", "loss", "price"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const C = controls(frame, model, { update, show: { strength: (i) => short(strengths[i]), share: (v) => `${short(v)}: ${kind(v)}`, tilt: (v) => `${fmt(v, 0)}°` } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), hand = s("g", { class: "nfig-handle" }, s("circle", { r: 16, class: "nfig-halo" }), s("circle", { r: 5 }));
  let /** @type {any} */ at = {};

  const dot = (p, x, y, r) => s("circle", { cx: p.X(x), cy: p.Y(y), r, style: "fill:var(--nf-fg);stroke:var(--nf-bg)" });
  const map = plot(frame, { x: [-ex, ex], y: [-ey, ey], aspect: ey / ex, xticks: 4, yticks: 3, xlabel: "weight w₁", ylabel: "weight w₂", group: true, label: "Equal loss and equal price; arrow keys move what the loss wants" }, (p) => {
    const { priced, w, way, loss } = at, full = ball(S.share, priceOf(S.share, w));
    p.area.append(s("path", { class: "nfig-zero", d: `M0 ${p.Y(0)}H${p.w}M${p.X(0)} 0V${p.high}` }), ...[1, 2, 3, 4, 5, 6].map((k) => path(p, ellipse(priced, 0.7 * k), "nfig-zero")),
      region(p, full, "nfig-side-b"), path(p, full, "nfig-curve-b"), path(p, ellipse(priced, Math.sqrt(2 * loss)), "nfig-curve-a"), path(p, way, "nfig-line"), dot(p, w[0], w[1], 7));
    hand.setAttribute("transform", `translate(${p.X(S.c1)} ${p.Y(S.c2)})`);
  });
  map.above.append(hand);
  drag(map, (c1, c2) => C.move({ c1, c2 }), undefined, "nfig-grab");
  map.svg.setAttribute("tabindex", "0");
  frame.keys(map.svg, (e) => {
    const i = ["Left", "Right", "Down", "Up"].indexOf(e.key.slice(5)), k = i < 2 ? "c1" : "c2";
    if (i < 0) return;
    e.preventDefault();
    C.move({ [k]: S[k] + (i % 2 ? 0.1 : -0.1) });
  });
  const fall = plot(frame, { x: [-1.3, 2.05], y: [0, 1], aspect: 0.3, xticks: [[-1, "0.1"], [0, "1"], [1, "10"], [2, "100"]], yticks: 3, xlabel: "strength λ", ylabel: "weight", label: "Both weights against the strength, on a logarithmic scale" }, (p) => {
    p.area.append(s("path", { class: "nfig-zero", d: `M0 ${p.Y(0)}H${p.w}` }));
    [0, 1].forEach((i) => p.area.append(path(p, at.way.map((w, k) => [Math.log10(at.taken[k]), w[i]]).filter(([x]) => x >= p.x[0]), `nfig-line ${i ? "nfig-dashed" : ""}`), dot(p, Math.max(p.x[0], Math.log10(at.strength)), at.w[i], 5)));
  });

  function update() {
    const priced = { wanted: [S.c1, S.c2], tilt: S.tilt, narrow: S.narrow, share: S.share }, strength = strengths[S.strength], w = solution(priced, strength), ends = [0, 1].map((i) => zeroFrom(priced, i, steps));
    const taken = [...steps, strength, ...ends].filter((v) => v <= (S.whole ? steps.at(-1) : strength)).sort((a, b) => a - b), way = taken.map((v) => solution(priced, v)), loss = lossOf(priced, w), price = strength * priceOf(S.share, w);
    at = { priced, strength, w, taken, way, loss };
    const gone = NAMES.filter((_, i) => !w[i]), all = gone.length > 1, was = priced.wanted, about = (test, text) => NAMES.filter((_, i) => test(w[i], was[i])).map((n) => ` ${n} ${text}`).join("");
    put(head, gone.length, all ? "both are exactly 0" : gone.length ? `${gone[0]} is exactly 0` : "both weights in use");
    w.forEach((v, i) => put(out[`w${i + 1}`], v, `${fmt(was[i], 1)} → ${exact(v)}`));
    put(out.loss, loss, fmt(loss, 3));
    put(out.price, price, fmt(price, 3));
    say.textContent = `${kind(S.share)}, λ = ${short(strength)}: ` + (strength ? `the price takes ${w.map((v, i) => `${NAMES[i]} from ${fmt(was[i], 1)} to ${exact(v)}`).join(" and ")}. ` +
      (all ? "The shape of equal price has shrunk to a point." : `The shape of equal price touches the contour ${gone.length ? S.share ? "with a corner" : "on an axis" : "where neither weight is 0"}.`) +
      about((v, c) => v * c > 0 && Math.abs(v) > Math.abs(c) + 0.005, "is longer than the loss alone wants it.") + about((v, c) => v * c < 0, "has changed its sign.") : "no price, so the weights are what the loss wants.") +
      (S.whole ? ` The whole path: ${S.share ? NAMES.map((n, i) => `${n} is exactly 0 from λ = ${fmt(ends[i])} on`).join(", ") : "the price brings no weight to exactly 0, at any strength"}.` : "");
    const values = [0, ...was, ...way.flat()], low = Math.min(...values), top = Math.max(...values);
    fall.y = [low - 0.15 * (top - low) - 0.1, top + 0.15 * (top - low) + 0.1];
    map.draw();
    fall.draw();
  }

  el.append(columns(h("div", {}, map.node, key(["nfig-ink-a", "●", "what the loss wants: drag it"], ["nfig-ink-a", "━", "equal loss"], ["nfig-ink-b", "━", "equal price (filled)"], ["", "●", "solution"]), fall.node, key(["", "━", "w₁"], ["", "╍", "w₂"])),
    panel(C.rows.share, C.rows.strength, head, C.rows.whole, C.rows.c1, C.rows.c2, C.rows.tilt, C.rows.narrow,
      h("dl", { class: "nfig-facts" }, fact("w₁", out.w1), fact("w₂", out.w2), fact("loss", out.loss), fact("price", out.price)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
