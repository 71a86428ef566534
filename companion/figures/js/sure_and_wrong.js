// One logit with target 1 walks down two losses: cross-entropy pulls it where it is sure and wrong, the squared error lets it stand.
import { arrow, columns, controls, drag, fmt, h, key, marker, panel, path, plot, plural, put, root, s, sci, sigmoid, status } from "./kit.js";

/**
 * Loss and slope at a logit, for target 1.
 * @param {string} kind  "entropy" or "square"
 * @param {number} z
 */
export function at(kind, z) {
  const p = sigmoid(z), rest = sigmoid(-z);
  return kind === "entropy" ? { loss: Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z))), slope: -rest } : { loss: rest * rest, slope: -2 * rest * p * rest };
}

/**
 * The logits of gradient descent, the first one among them.
 * @param {string} kind
 * @param {number} z
 * @param {number} lr
 * @param {number} n  steps
 */
export function walk(kind, z, lr, n) {
  const way = [z];
  for (let k = 0; k < n; k++) way.push(z -= lr * at(kind, z).slope);
  return way;
}

/**
 * After how many steps the right class has more than one half.
 * @param {string} kind
 * @param {number} z
 * @param {number} lr
 * @param {number} most  steps after which nobody waits any longer
 */
export function stepsUntilRight(kind, z, lr, most) {
  let step = 0;
  for (; z <= 0 && step < most; step++) z -= lr * at(kind, z).slope;
  return step;
}

const KINDS = ["entropy", "square"], NAMES = { entropy: "cross-entropy", square: "squared error" }, CURVE = { entropy: "nfig-curve-a", square: "nfig-curve-b nfig-dashed" };
const INK = { entropy: "nfig-dot-a", square: "nfig-dot-b" }, FINE = "white-space:normal";

function render({ model, el }) {
  const frame = root(el), [lo, hi] = model.get("logits"), C = controls(frame, model, { update }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), body = h("tbody"), grid = Array.from({ length: 161 }, (_, i) => lo + (hi - lo) * i / 160);
  let /** @type {any} */ ways = { entropy: [0], square: [0] };
  const now = (kind) => ways[kind][S.n];

  function curves(a, value, last) {
    a.area.append(s("path", { class: "nfig-plumb", d: `M${a.X(0)} 0V${a.high}` }), s("text", { x: a.X(0) + 6, y: 12 }, "p = ½"), ...KINDS.map((k) => path(a, grid.map((z) => [z, value(k, z)]), CURVE[k])));
    for (const [i, k] of KINDS.entries()) {
      // The way so far as ticks on the curve, one for each step.
      const ticks = ways[k].slice(0, S.n).map((z) => `M${a.X(z).toFixed(1)} ${(a.Y(value(k, z)) - 6).toFixed(1)}v12`).join("");
      if (last) {
        a.area.append(s("path", { class: "nfig-zero", d: ticks }));
        last(a, k);
      }
      a.area.append(marker(a.X(now(k)), a.Y(value(k, now(k))), INK[k], i, 7));
    }
  }
  const upper = plot(frame, { x: [lo, hi], y: [-0.5, 8.4], aspect: 0.5, xticks: 4, yticks: 4, xlabel: "logit z (the target is 1)", ylabel: "loss", label: "Both losses against the logit, with a ball on each" },
    (a) => curves(a, (k, z) => at(k, z).loss, (_, k) => {
      const z = now(k), next = Math.min(hi, z - S.lr * at(k, z).slope), far = a.X(next) - a.X(z) > 14;
      const ends = [a.X(z), a.Y(at(k, z).loss), a.X(next), a.Y(at(k, next).loss)];
      a.area.append(far ? arrow(...ends, "nfig-arrow") : s("path", { class: "nfig-arrow", d: `M${ends[0]} ${ends[1]}L${ends[2]} ${ends[3]}` }));
    }));
  drag(upper, (z) => C.change("z", z));
  const lower = plot(frame, { x: [lo, hi], y: [-0.08, 1.3], aspect: 0.34, xticks: 4, yticks: [[0, "0"], [0.5, "0.5"], [1, "1"]], xlabel: "logit z", ylabel: "size of the slope", label: "The sizes of both slopes against the logit, with a ball on each" },
    (a) => curves(a, (k, z) => -at(k, z).slope, null));

  function update() {
    ways = Object.fromEntries(KINDS.map((k) => [k, walk(k, S.z, S.lr, S.n)]));
    const [a, b] = KINDS.map((k) => ({ z: now(k), p: sigmoid(now(k)), ...at(k, now(k)), steps: stepsUntilRight(k, S.z, S.lr, model.get("patience")) }));
    const row = (name, cls, show) => h("tr", { class: cls }, h("th", { scope: "row", style: FINE }, name), ...[a, b].map((v) => { const c = h("td"); show(c, v); return c; }));
    body.replaceChildren(row("logit", "nfig-logit", (c, v) => put(c, v.z, fmt(v.z, 3))), row("p", "nfig-p", (c, v) => put(c, v.p, fmt(v.p, 4))),
      row("loss", "nfig-loss", (c, v) => put(c, v.loss, sci(v.loss, 4))), row("slope", "nfig-slope", (c, v) => put(c, v.slope, sci(v.slope, 4))),
      row("next step", "nfig-next", (c, v) => put(c, -S.lr * v.slope, sci(-S.lr * v.slope, 4))), row("steps to p > ½", "nfig-steps", (c, v) => put(c, v.steps, `${v.steps}`)));
    put(head, a.steps, `${plural(a.steps, "step")} against ${b.steps}`);
    const times = a.slope / b.slope, begin = S.n ? `After ${plural(S.n, "step")} of learning rate ${fmt(S.lr, 1)} cross-entropy has brought the logit from ${fmt(S.z, 1)} to ${fmt(a.z)} and the squared error to ${fmt(b.z)}: ` +
      `p is ${fmt(a.p, 4)} against ${fmt(b.p, 4)}. ` : `At the logit ${fmt(S.z, 1)} the right class has p = ${fmt(a.p, 4)}. With the learning rate ${fmt(S.lr, 1)} the next step is ${sci(-S.lr * a.slope, 3)} long with cross-entropy and ${sci(-S.lr * b.slope, 3)} with the squared error. `;
    say.textContent = begin + (b.z < -2.5 ? S.n && a.z > 0 ? "The squared error still stands on its plain, where hardly anything pulls." : `The squared error is nearly as large as it gets, and yet cross-entropy pulls ${times > 10 ? fmt(times, 0) : fmt(times, 1)} times as hard.` :
      b.z <= 0 ? "Here the squared error has its steepest part, and still cross-entropy pulls harder." : "Both are on the right side, and both pull less and less.");
    upper.draw();
    lower.draw();
  }
  const table = h("table", { class: "nfig-table" }, h("caption", {}, "Both losses after the steps taken, target 1"), h("thead", {}, h("tr", {}, h("td", {}), ...KINDS.map((k) => h("th", { scope: "col", style: FINE }, NAMES[k])))), body);
  el.append(columns(h("div", {}, upper.node, key(["nfig-ink-a", "● ━", "cross-entropy"], ["nfig-ink-b", "▲ ╍", "squared error"], ["nfig-good-ink", "→", "next step"], ["", "❘", "steps taken"], ["", "✥", "drag to move z"]), lower.node),
    panel(head, C.rows.z, C.rows.lr, C.rows.n)), table, say, C.foot);
  update();
  return frame.off;
}
export default { render };
