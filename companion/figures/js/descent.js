// A path downhill on the map of a surface: start, rate, batch and momentum are the reader's; the loss of each step stands below.
import { arrow, columns, controls, fact, fmt, h, key, panel, path, plot, put, root, s, sci, seeded, shuffled, status } from "./kit.js";
import { terrain } from "./parts/contours.js";
import { downhill } from "./parts/downhill.js";
import { ground } from "./parts/surface.js";

/** @typedef {import("./parts/surface.js").Surface} Surface */

/**
 * The places of a path; each step takes the mean slope of a batch of examples, whose tilts are whole thousandths.
 * @param {Surface} surface
 * @param {number[]} start
 * @param {{ lr: number, momentum: number, batch: number, steps: number, tilts: number[][], seed: number, far: number }} how
 */
export function pathOf(surface, start, { lr, momentum, batch, steps, tilts, seed, far }) {
  const random = seeded(seed);
  return downhill((w) => {
    const taken = shuffled(tilts, random).slice(0, batch);
    return ground(surface, w).slope.map((g, i) => g + total(taken.map((one) => one[i])) / (1000 * batch));
  }, start, lr, steps, momentum, far);
}

const total = (list) => list.reduce((a, b) => a + b, 0), mean = (list) => total(list) / list.length;

/**
 * What a path does, in one word.
 * @param {Surface} surface
 * @param {number[][]} way  the places so far
 * @param {{ lr: number, noise: number, momentum: number, edge: number[], flat: number }} how
 */
export function regime(surface, way, { lr, noise, momentum, edge, flat }) {
  const k = way.length - 1, at = way.map((w) => ground(surface, w)), losses = at.map((g) => g.loss), here = at[k];
  if (!k) return "start";
  if (way[k].some((w, i) => Math.abs(w) > 2 * edge[i])) return "off";
  if (noise) {
    // What chance leaves of a slope on a quadratic with this bend, where steps down and noise keep each other in balance.
    const late = at.slice(-Math.floor(k / 4)), e = lr * Math.max(...late.map((g) => g.largest)), more = 1 + momentum, left = e < 2 * more ? e * more / (1 - momentum) / (2 * more - e) : Infinity;
    return k > 11 && mean(late.map((g) => g.size)) < 1.5 * noise * Math.sqrt(Math.max(0.01, left)) ? "noise" : "down";
  }
  const moves = way.slice(1).map((w, j) => w.map((v, i) => v - way[j][i])), half = Math.floor(k / 2);
  const turned = (a, b) => a * b < 0 && Math.max(Math.abs(a), Math.abs(b)) > flat, [a, b] = moves.slice(-2), two = k > 1;
  if (!momentum && two && [0, 1].some((i) => turned(a[i], b[i]) && Math.abs(b[i]) > Math.abs(a[i]) * (1 + 1e-9))) return "off";
  if (half > 3 && Math.max(...losses.slice(half + 1)) > Math.max(...losses.slice(0, half + 1)) * (1 + 1e-9)) return "off";
  if (here.size < flat) return here.smallest > flat ? "rest" : here.smallest < -flat ? "ridge" : "plain";
  const late = moves.slice(momentum ? -12 : -2);
  if (late.slice(1).some((m, j) => [0, 1].some((i) => turned(late[j][i], m[i])))) return "swings";
  return two && Math.hypot(...b) < 0.25 && Math.hypot(...b) > 0.9 * Math.hypot(...a) ? "creeps" : "down";
}

const few = (v) => (Math.abs(v) < 1e5 ? fmt(v, 3) : sci(v));

function render({ model, el }) {
  const frame = root(el), [surfaces, edge, far, flat, seed, tilts, words] = ["surfaces", "edge", "far", "flat", "seed", "tilts", "words"].map((k) => model.get(k));
  const N = tilts.length, C = controls(frame, model, { update }), S = C.S, last = C.spec("step").last;
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["loss", "w1", "w2", "sharp", "limit", "noise"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  let /** @type {any} */ way = [[0, 0]];
  const on = () => surfaces[S.surface], height = (w) => ground(on(), w).loss, taken = () => Math.min(S.step, way.length - 1);

  const map = terrain(frame, C, edge, "The path on a map; arrow keys move its start", height, () => (on().pits.length ? 1 : 2), (p) => {
    const k = taken(), dot = ([x, y], r, cls) => s("circle", { cx: p.X(x), cy: p.Y(y), r, class: cls }), [a, b] = way.slice(k, k + 2);
    return [path(p, way.slice(0, k + 1), "nfig-tangent"), ...way.slice(1, k).map((w) => dot(w, 2, "nfig-ink-b")),
      b && Math.hypot(b[0] - a[0], b[1] - a[1]) > 0.3 ? arrow(p.X(a[0]), p.Y(a[1]), p.X(b[0]), p.Y(b[1]), "nfig-arrow") : "", dot(a, 8, "nfig-dot-b")];
  });
  const fall = plot(frame, { x: [-1, last + 1], y: [0, 1], aspect: 0.26, xticks: 4, yticks: 3, xlabel: "steps", ylabel: "loss", label: "Loss of each step" }, (p) => {
    const losses = way.slice(0, taken() + 1).map((w, i) => [i, Math.min(height(w), 9 * p.y[1])]), [x, y] = losses.at(-1);
    p.area.append(path(p, losses, "nfig-curve-b"), s("circle", { cx: p.X(x), cy: p.Y(Math.min(y, 0.95 * p.y[1])), r: 6, class: "nfig-dot-b" }));
  });

  function update() {
    const B = +S.batch, { rate: lr, momentum } = S, noise = Math.sqrt(mean(tilts.map(([a, b]) => a * a + b * b)) / B * (N - B) / (N - 1)) / 1000;
    way = pathOf(on(), [S.w1, S.w2], { lr, momentum, batch: B, steps: last, tilts, seed, far });
    const k = taken(), w = way[k], here = ground(on(), w), first = height(way[0]), any = here.largest > 0, limit = any ? 2 / here.largest : Infinity, kind = regime(on(), way.slice(0, k + 1), { lr, noise, momentum, edge, flat });
    put(head, kind, words[kind][0]);
    const shown = { loss: [here.loss, sci(here.loss)], w1: [w[0]], w2: [w[1]], sharp: [here.largest], limit: [limit, any ? few(limit) : "none"], noise: [noise, fmt(noise)] };
    for (const [n, [v, text]] of Object.entries(shown)) put(out[n], v, text ?? few(v));
    const ended = S.step > k ? " The path ends here." : w.some((v, i) => Math.abs(v) > edge[i]) ? " It is off the map." : "", lower = kind === "rest" && here.loss > 0.1 ? " A deeper hollow lies elsewhere." : "";
    say.textContent = `Step ${k}: the loss is ${sci(here.loss)}; at the start it was ${sci(first)}. ` + words[kind][1] + lower + ended +
      (any ? ` The rate is ${few(lr / limit)} times the limit here.` : " Nothing bends upwards here.") +
      (momentum ? ` Each step keeps ${fmt(momentum)} of the one before${any ? `, which raises the limit to ${few(limit * (1 + momentum))}` : ""}.` : "");
    fall.y = [-0.08, 1.1].map((part) => part * Math.max(0.5, first, Math.min(3 * first, Math.max(...way.map(height)))));
    map.draw();
    fall.draw();
  }

  el.append(columns(h("div", {}, map.node, key(["nfig-ink-a", "●", "start: drag it"], ["nfig-ink-b", "●", "ball"], ["", "━", "steps"], ["nfig-good-ink", "→", "next step"]), fall.node),
    panel(C.rows.surface, head, C.rows.rate, C.rows.batch, C.rows.momentum, C.rows.w1, C.rows.w2, h("dl", { class: "nfig-facts" }, fact("loss", out.loss), h("div", {}, h("dt", {}, "w₁ and w₂"), out.w1, out.w2),
      fact("largest curvature λmax", out.sharp), fact("limit 2/λmax", out.limit), fact("noise of a batch's slope", out.noise)))), C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
