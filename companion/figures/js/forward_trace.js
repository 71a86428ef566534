// A network of 2, 3 and 2 neurons, one step of arithmetic at a time: as a graph, and as matrices with one example or with a batch.
import { bar, columns, controls, fmt, h, key, network, panel, put, root, s, short, status } from "./kit.js";

/**
 * @typedef {{ w1: number[][], b1: number[], w2: number[][], b2: number[] }} Net
 * @typedef {{ kind: "start" | "product" | "sum" | "bend" | "softmax", layer: number, j: number, i: number }} Step
 *   what is done in which layer (1 or 2), for its neuron j, and for a product with which input i; −1 where there is none
 */

const total = (v) => v.reduce((a, b) => a + b, 0);
const affine = (w, b, x) => w.map((row, j) => total(row.map((v, i) => v * x[i])) + b[j]);

/**
 * Probabilities of logits.
 * @param {number[]} y
 */
export function softmax(y) {
  const top = Math.max(...y), e = y.map((v) => Math.exp(v - top)), sum = total(e);
  return e.map((v) => v / sum);
}

/**
 * Sums, hidden values, logits and probabilities for one example.
 * @param {Net} net
 * @param {number[]} x
 */
export function forward(net, x) {
  const z = affine(net.w1, net.b1, x), hidden = z.map((v) => Math.max(0, v)), y = affine(net.w2, net.b2, hidden);
  return { z, h: hidden, y, p: softmax(y) };
}

/**
 * All steps in the order of paper; the first is the start.
 * @param {Net} net
 * @returns {Step[]}
 */
export function plan(net) {
  /** @type {(w: number[][], layer: number, last: Step["kind"][]) => Step[]} */
  const each = (w, layer, last) => w.flatMap((row, j) => [...row.map((_v, i) => ({ kind: /** @type {const} */ ("product"), layer, j, i })),
    ...last.map((kind) => ({ kind, layer, j, i: -1 }))]);
  return [{ kind: "start", layer: 1, j: -1, i: -1 }, ...each(net.w1, 1, ["sum", "bend"]), ...each(net.w2, 2, ["sum"]),
    { kind: "softmax", layer: 2, j: -1, i: -1 }];
}

/**
 * The number that a step gives; at the end the larger probability, at the start 0.
 * @param {Net} net
 * @param {number[]} x
 * @param {Step} step
 */
export function valueAt(net, x, { kind, layer, j, i }) {
  const f = forward(net, x);
  if (kind === "product") return layer === 1 ? net.w1[j][i] * x[i] : net.w2[j][i] * f.h[i];
  if (kind === "sum") return (layer === 1 ? f.z : f.y)[j];
  return kind === "bend" ? f.h[j] : kind === "softmax" ? Math.max(...f.p) : 0;
}

const SUB = "₁₂₃", HIGH = 30;
const brackets = (v) => (v < 0 ? `(${short(v)})` : short(v));
const plus = (v) => (v < 0 ? `− ${short(-v)}` : `+ ${short(v)}`);
const turned = (rows) => rows[0].map((_v, c) => rows.map((row) => row[c]));

// One matrix after a sign: values (null where not known yet), what is tinted and what is in hand; flip turns it over its diagonal.
function matrix(sign, flip, { name, values, hand, tint = null, wide = 34, shape = "" }) {
  const all = values.map((row, r) => row.map((v, c) => ({ t: short(v), tint: tint?.(r, c), hand: hand(r, c) }))), rows = flip ? turned(all) : all;
  const W = rows[0].length * wide + 4, size = shape || `(${rows.length}, ${rows[0].length})`;
  const box = (r, c, cls) => s("rect", { x: c * wide, y: r * HIGH, width: wide, height: HIGH, class: cls });
  const each = (f) => rows.flatMap((row, r) => row.flatMap((one, c) => f(one, r, c)));
  const svg = s("svg", { viewBox: `-2 -2 ${W} ${rows.length * HIGH + 4}`, class: "nfig-svg", style: `width:${W}px`, role: "img",
    "aria-label": `${name}, shape ${size}: ${rows.map((row) => row.map((one) => one.t).join(" ")).join("; ")}` },
  ...each((one, r, c) => [box(r, c, `nfig-cellbox ${one.tint ? "nfig-tinted" : ""}`), s("text", { x: (c + 0.5) * wide, y: r * HIGH + 20, class: "nfig-number" }, one.t)]),
  ...each((one, r, c) => (one.hand ? box(r, c, "nfig-window") : [])));
  return { size, node: h("span", {}, sign, h("span", {}, svg, name, h("br"), size)) };
}

function render({ model, el }) {
  /** @type {Net} */
  const net = { w1: model.get("w1"), b1: model.get("b1"), w2: model.get("w2"), b2: model.get("b2") };
  const frame = root(el), steps = plan(net), last = steps.length - 1, sheet = h("div", { class: "nfig-matrices" });
  const say = status(), head = h("output", { class: "nfig-big" }), shapes = h("p", { class: "nfig-sum" }), line = h("p", { class: "nfig-sum" });
  const C = controls(frame, model, { update }), S = C.S;
  const when = (kind, layer, j) => steps.findIndex((one) => one.kind === kind && one.layer === layer && one.j === j);
  // The z, h, y or p of an example as far as the steps have come.
  const since = { x: () => 0, z: (j) => when("sum", 1, j), h: (j) => when("bend", 1, j), y: (j) => when("sum", 2, j), p: () => last };
  const known = (k, f) => f[k].map((v, j) => (S.step >= since[k](j) ? v : null));
  const layers = [{ w: net.w1, b: net.b1, from: "x", sum: "z", to: "h", who: "hidden neuron", wide: 42 },
    { w: net.w2, b: net.b2, from: "h", sum: "y", to: "p", who: "output", wide: 50 }];
  const graph = network(frame, { label: "The network with the numbers known so far", sizes: [2, 3, 2], height: 310, along: 0.265,
    names: [[], [..."₁₂₃"].map((k) => `hidden neuron h${k}`), ["output y₁", "output y₂"]],
    pick: (l, j) => C.change("step", when(l === 1 ? "bend" : "sum", l, j)) });

  function drawGraph(f, { kind, layer, j, i }) {
    const z = known("z", f), hidden = known("h", f), p = known("p", f);
    const wires = ({ w }, l) => w.map((row, r) => row.map((v, c) => ({ w: v, text: short(v), idle: l === 1 && hidden[c] === 0,
      inHand: layer === l + 1 && j === r && (kind === "sum" || (kind === "product" && i === c)) })));
    graph.draw([[S.x1, S.x2].map((v, k) => ({ text: short(v), under: `x${SUB[k]}` })),
      hidden.map((v, k) => ({ text: short(v), above: `h${SUB[k]}`, under: `z = ${short(z[k])}` })),
      known("y", f).map((v, k) => ({ text: short(v), above: `y${SUB[k]}`, under: `p = ${short(p[k])}` }))], layers.map(wires), j < 0 ? null : [layer, j]);
  }

  // The matrices of the layer in hand, with the examples side by side as columns; a batch turns everything over.
  function drawSheet(L, fs, { kind, layer, j, i }) {
    const flip = fs.length > 1, big = (v) => (flip ? v.toUpperCase() : v), n = L.b.length, here = (k) => kind === k, adds = here("product") || here("sum");
    const of = (k) => turned(fs.map((f) => known(k, f))), sub = SUB[layer - 1];
    const weights = { name: `W${sub}${flip ? "ᵀ" : ""}`, values: L.w, tint: (r) => adds && r === j, hand: (r, c) => here("product") && r === j && c === i };
    const given = { name: big(L.from), values: of(L.from), tint: (_r, c) => adds && !c, hand: (r, c) => here("product") && r === i && !c };
    const after = (k, tint, mine) => ({ name: big(k), values: of(k), wide: L.wide, tint: (r) => tint && r === j, hand: (r, c) => !c && (here("softmax") || (mine && r === j)) });
    const parts = [...(flip ? [given, weights] : [weights, given]), { name: `b${sub}`, values: L.b.map((v) => [v]), shape: flip ? `(${n},)` : "", hand: (r) => here("sum") && r === j },
      after(L.sum, true, !here("product")), after(L.to, here("bend"), here("bend"))];
    const drawn = parts.map((part, k) => matrix(["", "@", "+", "=", "→"][k], flip, part));
    sheet.replaceChildren(...drawn.map((one) => one.node));
    const product = `${drawn[0].size} @ ${drawn[1].size}`;
    shapes.replaceChildren(`Layer ${layer}: `, h("b", {}, product), ` gives ${drawn[3].size}, then ${layer === 1 ? "ReLU" : "softmax"}`);
    return product;
  }

  // The arithmetic of a step as it is written on paper, up to its result.
  function written(L, f, { kind, j, i }) {
    const name = (k) => `${k}${SUB[j]}`, e = f.y.map(Math.exp);
    if (kind === "product") return `weight · ${L.from}${SUB[i]} = ${short(L.w[j][i])} · ${brackets(f[L.from][i])} = `;
    if (kind === "sum") return `${name(L.sum)} = ${L.w[j].map((v, c) => v * f[L.from][c]).map((v, c) => (c ? plus(v) : short(v))).join(" ")} ${plus(L.b[j])} = `;
    if (kind === "bend") return `h${SUB[j]} = max(0, ${short(f.z[j])}) = `;
    return kind === "start" ? "No arithmetic yet." : `${f.y.map((v, k) => `e^${short(v)} = ${fmt(e[k], 4)}`).join(", ")}, each over their sum ` +
      `${fmt(total(e), 4)}: ${f.p.map(short).join(" and ")}, the larger is `;
  }

  function told(L, fs, { kind, j, i }, product) {
    const f = fs[0], rows = fs.length > 1, who = `${L.who} ${j + 1}`;
    const others = (k, r) => fs.slice(1).map((one) => short(one[k][r])).join(" and "), batch = (k) => (rows ? ` The other two rows get ${others(k, j)} at once.` : "");
    if (kind === "start") return rows ? `It is row 1 of three: ${product} serves all.` : `It stands as a column: layer 1 is ${product}.`;
    if (kind === "product") {
      return `Weight ${short(L.w[j][i])} times ${L.from}${SUB[i]} = ${short(f[L.from][i])} is ${short(L.w[j][i] * f[L.from][i])}, for ${who}: ` +
        (rows ? `column ${j + 1} of the turned weights.` : `row ${j + 1} of the weights.`);
    }
    if (kind === "sum") return `The products and the bias ${short(L.b[j])} of ${who} add up to ${short(f[L.sum][j])}.${batch(L.sum)}`;
    if (kind === "bend") {
      return `Hidden neuron ${j + 1} is ` + (f.z[j] > 0 ? `on: ReLU lets ${short(f.z[j])} through.` :
        `off: ReLU turns ${short(f.z[j])} into 0, and its outgoing weights do not count.`) + batch("h");
    }
    return `Softmax gives ${f.p.map(short).join(" and ")}: ${f.p[0] === f.p[1] ? "both classes are level." : `class ${f.p[0] > f.p[1] ? 1 : 2} wins.`}` +
      (rows ? ` In the other two rows class 2 has ${others("p", 1)}.` : "");
  }

  function update() {
    const step = steps[S.step], { kind, layer, j } = step, L = layers[layer - 1], xs = [[S.x1, S.x2], ...(S.layout === "rows" ? model.get("others") : [])];
    const fs = xs.map((x) => ({ x, ...forward(net, x) })), v = valueAt(net, xs[0], step), name = (k) => `${k}${SUB[j]} = ${short(v)}`;
    drawGraph(fs[0], step);
    put(head, v, { start: "not started", product: `product: ${short(v)}`, sum: name(L.sum), bend: name("h"), softmax: `class ${fs[0].p[0] === v ? 1 : 2} has ${fmt(100 * v, 2)} %` }[kind]);
    line.replaceChildren(written(L, fs[0], step), h("b", {}, kind === "start" ? "" : short(v)));
    say.textContent = `Step ${S.step} of ${last}, input (${short(S.x1)}, ${short(S.x2)}). ${told(L, fs, step, drawSheet(L, fs, step))}`;
  }
  el.append(columns(h("div", {}, graph.svg, key(["nfig-good-ink", "━", "in hand"], ["nfig-ink-a", "━", "weight above 0"], ["nfig-ink-b", "╍", "weight below 0"],
    ["", "?", "not computed yet"])), panel(head, C.rows.x1, C.rows.x2)), C.rows.step, line, bar(C.rows.layout), shapes, sheet, say, C.foot);
  update();
  return frame.off;
}
export default { render };
