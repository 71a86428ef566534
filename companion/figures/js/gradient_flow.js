// The slope of each layer of a random network: what the calculation of variances predicts, and what is measured.
import { columns, controls, fact, fmt, h, key, marker, panel, path, plot, put, root, s, seeded, sigmoid, status } from "./kit.js";

/** @typedef {{ activation: string, std: number, depth: number, width: number }} Net */
/** @typedef {{ forward: number[], sums: number[], weights: number[] }} Flow */

const FUNCTIONS = {
  sigmoid: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  relu: [(x) => Math.max(0, x), (x) => +(x > 0)],
  linear: [(x) => x, () => 1],
};

// Places and weights for a mean over a standard normal, dense near 0, where a steep activation turns.
const BELL = Array.from({ length: 200 }, (_, i) => { const t = (i + 0.5) / 200, z = 8 * t ** 3; return [z, t * t * Math.exp(-z * z / 2)]; });
const WHOLE = 2 * BELL.reduce((sum, [, w]) => sum + w, 0);

/**
 * The mean squares of an activation's value and slope where the sums are normal with variance q.
 * @param {string} name
 * @param {number} q
 */
export function moments(name, q) {
  return FUNCTIONS[name].map((f) => BELL.reduce((sum, [z, w]) => sum + w * (f(Math.sqrt(q) * z) ** 2 + f(-Math.sqrt(q) * z) ** 2), 0) / WHOLE);
}

/**
 * From inputs of mean square 1, and a slope of length 1 by the last sums.
 * @param {Net} net
 * @returns {Flow}
 */
export function predicted({ activation, std, depth, width }) {
  const spread = width * std * std, forward = [spread], chi = [], squares = [1];
  for (let k = 1; k < depth; k++) {
    const [value, slope] = moments(activation, forward[k - 1]);
    forward.push(spread * value);
    chi.push(spread * slope);
  }
  for (const factor of chi.reverse()) squares.unshift(squares[0] * factor);
  return { forward, sums: squares.map(Math.sqrt), weights: squares.map((v, k) => Math.sqrt(v * forward[k]) / std) };
}

const square = (list) => list.reduce((sum, v) => sum + v * v, 0);

/**
 * A network's chance: inputs, slopes by the last sums, and tables of weights with variance 1, as many as are asked for.
 * @param {number} seed
 * @param {number} width
 * @param {number} examples
 */
export function drawn(seed, width, examples) {
  const random = seeded(seed), evenly = (n) => Float64Array.from({ length: n }, () => Math.sqrt(12) * (random() - 0.5)), tables = [];
  const rows = (size) => Array.from({ length: examples }, () => evenly(width)).map((list) => list.map((v) => v / Math.sqrt(square(list) / size)));
  const x = rows(width), back = rows(1);
  return { x, back, table(k) { while (tables.length <= k) tables.push(evenly(width * width)); return tables[k]; } };
}

/**
 * The same, measured in a network with random weights.
 * @param {Net} net
 * @param {ReturnType<typeof drawn>} chance
 * @returns {Flow}
 */
export function measured({ activation, std, depth, width }, { x, back, table }) {
  const [f, slope] = FUNCTIONS[activation], forward = Array(depth).fill(0), sums = [...forward], weights = [...forward], K = x.length;
  x.forEach((first, e) => {
    const inputs = [first], z = [];
    for (let k = 0; k < depth; k++) {
      const t = table(k), out = new Float64Array(width);
      for (let i = 0; i < width; i++) for (let j = 0, v = inputs[k][i] * std; j < width; j++) out[j] += v * t[i * width + j];
      z.push(out);
      inputs.push(out.map(f));
      forward[k] += square(out) / width / K;
    }
    for (let k = depth - 1, d = back[e]; k >= 0; k--) {
      const t = table(k), long = square(d), next = new Float64Array(width);
      sums[k] += long / K;
      weights[k] += long * square(inputs[k]) / K;
      for (let i = 0; k && i < width; i++) {
        for (let j = 0; j < width; j++) next[i] += d[j] * std * t[i * width + j];
        next[i] *= slope(z[k - 1][i]);
      }
      d = next;
    }
  });
  return { forward, sums: sums.map(Math.sqrt), weights: weights.map(Math.sqrt) };
}

// By what a layer multiplies, in the geometric mean.
const factor = (a, b, layers) => (a / b) ** (1 / (layers - 1));
const few = (v) => (v >= 1e-3 && v < 1e3 ? fmt(v, v < 1 ? Math.max(2, 1 - Math.floor(Math.log10(v * 1.001))) : v < 10 ? 2 : 0) : v.toExponential(1).replace("e+", "e").replace("-", "−"));
const NAMES = { weights: "length of the slope by the weights", sums: "length of the slope by the sums", forward: "mean square of the sums" };

function render({ model, el }) {
  const frame = root(el), [starts, times, widths, examples] = ["starts", "times", "widths", "examples"].map((k) => model.get(k)), kept = {};
  const C = controls(frame, model, { update, show: { times: (i) => `${times[i]}`, width: (i) => `${widths[i]}`, seed: (v) => `no. ${v}`, depth: (v) => `${v}` } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["std", "share", "back", "forward"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const way = h("span"), series = ["told", "found"].map((k) => h("span", { class: `nfig-${k}`, hidden: true }));
  const marks = /** @type {[number, string][]} */ ([]);
  let /** @type {any} */ at = {};

  const picture = plot(frame, { x: [0, 1], y: [0, 1], aspect: 0.78, xticks: marks, yticks: 6, xlabel: "layer", ylabel: "", label: "Each layer's value, predicted as a line and measured as dots, on a logarithmic scale" }, (p) => {
    const { told, found } = at, lost = p.Y(Math.max(p.y[0], Math.min(p.y[1], -37.9)));
    if (p.y[0] < -38) p.area.append(s("rect", { x: 0, y: lost, width: p.w, height: p.high - lost, class: "nfig-side-b" }), s("text", { x: p.w - 4, y: lost + 14, "text-anchor": "end" }, "too small for float32"));
    p.area.append(s("path", { class: "nfig-zero", d: `M0 ${p.Y(0)}H${p.w}` }), path(p, told.map((v, k) => [k + 1, Math.log10(v)]), "nfig-curve-b nfig-dashed"),
      ...found.map((v, k) => marker(p.X(k + 1), p.Y(Math.log10(v)), "nfig-dot-a", 0, 4.2)));
  });

  function update() {
    const width = widths[S.width], [scale, power] = starts[S.start], std = times[S.times] * scale * width ** power, depth = S.depth, net = { activation: S.activation, std, depth, width };
    const told = predicted(net), found = measured(net, kept[`${S.seed} ${width}`] ??= drawn(S.seed, width, examples)), [a, b] = [told, found].map((flow) => flow[S.shown]);
    at = { told: a, found: b };
    const on = S.shown === "forward", [due, share] = [a, b].map((v) => (on ? v[depth - 1] / v[0] : v[0] / v[depth - 1])), back = [told, found].map(({ sums }) => factor(sums[0], 1, depth)), ahead = [told, found].map(({ forward }) => factor(forward[depth - 1], forward[0], depth));
    const low = Math.min(...found.weights), top = Math.max(...found.weights), step = 0.1 * found.weights[0] / width;
    series.forEach((node, i) => put(node, [a, b][i].join(" "), ""));
    put(head, low, low < 1e-3 ? (top > 1e3 ? "slopes vanish and explode" : "slopes vanish") : top > 1e3 ? "slopes explode" : "slopes arrive");
    put(out.std, std, few(std));
    way.textContent = on ? "last layer / layer 1" : "layer 1 / last layer";
    put(out.share, share, `${few(share)} (${few(due)})`);
    put(out.back, back[1], `${few(back[1])} (${few(back[0])})`);
    put(out.forward, ahead[1], `${few(ahead[1])} (${few(ahead[0])})`);
    say.textContent = `${depth} layers of ${width}, ${C.label("activation")}, ${C.label("start")}${times[S.times] === 1 ? "" : ` times ${times[S.times]}`}: ${on ? `the sums of layer ${depth} have ${few(share)} of the mean square of layer 1` : `layer 1 has ${few(share)} of the last layer's slope by its ${S.shown}`}, predicted ${few(due)}. ` +
      (on ? `On the way forwards a layer multiplies the mean square by ${few(ahead[1])} (predicted ${few(ahead[0])}). ` : `On the way back a layer multiplies the slope by ${few(back[1])} (predicted ${few(back[0])}). `) +
      (step < 6e-8 * std ? `A weight of layer 1 is about ${few(std)}, and a step at the rate 0.1 changes it by ${few(step)}: float32 rounds that away, and the layer stands still.` :
        top > 1e3 ? `The longest slope by the weights is ${few(top)}: a step at the rate 0.1 would throw them about.` : `A weight of layer 1 is about ${few(std)}, and a step at the rate 0.1 changes it by ${few(step)}.`);
    const all = [...a, ...b, 1].map(Math.log10), edge = [Math.min(...all), Math.max(...all)], room = Math.max(0.5, 0.04 * (edge[1] - edge[0]));
    const by = depth < 8 ? 1 : depth < 25 ? 5 : 10, named = Array.from({ length: depth }, (_, k) => k + 1).filter((k) => k % by === 0 || k === 1);
    marks.splice(0, Infinity, ...named.map((k) => /** @type {[number, string]} */ ([k, `${k}`])));
    picture.x = [0.5, depth + 0.5];
    picture.y = [edge[0] - room, edge[1] + room];
    picture.ylabel = `${NAMES[S.shown]}, power of ten`;
    picture.draw();
  }
  el.append(columns(h("div", { style: "max-width:27rem;width:100%;margin:auto" }, picture.node, key(["nfig-ink-b", "╍", "predicted"], ["nfig-ink-a", "●", "measured"], ["", "( )", "in brackets: predicted"]), ...series), panel(...["activation", "start", "times", "depth", "width", "shown", "seed"].map((k) => C.rows[k]), head)),
    h("dl", { class: "nfig-facts nfig-pair", style: "gap:.3rem 1.75rem;margin-top:.6rem" }, fact(way, out.share), fact("slope, × per layer back", out.back), fact("standard deviation of a weight", out.std), fact("mean square, × per layer", out.forward)), say, C.foot);
  update();
  return frame.off;
}
export default { render };
