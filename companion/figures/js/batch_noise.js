// The slopes of batches around the slope of all examples, with their predicted and their measured spread.
import { arrow, columns, controls, fact, fmt, h, halfPlane, key, marker, panel, path, plot, put, region, root, s, seeded, shuffled, status } from "./kit.js";

/**
 * The slope of each example's squared error, by both weights.
 * @param {number[][]} examples  two inputs and the target
 * @param {number[]} w
 */
export const slopes = (examples, [w1, w2]) => examples.map(([a, b, y]) => { const miss = 2 * (a * w1 + b * w2 - y); return [miss * a, miss * b]; });

/** @param {number[][]} list */
export const middle = (list) => [0, 1].map((i) => list.reduce((sum, g) => sum + g[i], 0) / list.length);

/**
 * The slopes of batches: the middle of B slopes, drawn by chance, each once or each again and again.
 * @param {number[][]} all
 * @param {number} B
 * @param {number} count  of batches
 * @param {number} seed
 * @param {boolean} again
 */
export function batches(all, B, count, seed, again) {
  const random = seeded(seed), one = () => (again ? Array.from({ length: B }, () => all[Math.floor(random() * all.length)]) : shuffled(all, random).slice(0, B));
  return Array.from({ length: count }, () => middle(one()));
}

/**
 * The root of the mean squared distance from a place.
 * @param {number[][]} list
 * @param {number[]} from
 */
export const distance = (list, [a, b]) => Math.sqrt(list.reduce((sum, g) => sum + (g[0] - a) ** 2 + (g[1] - b) ** 2, 0) / list.length);

/**
 * The same as theory predicts it for batches.
 * @param {number[][]} all
 * @param {number} B
 * @param {boolean} again
 */
export const predicted = (all, B, again) => distance(all, middle(all)) * Math.sqrt(1 / B * (again ? 1 : (all.length - B) / (all.length - 1)));

function render({ model, el }) {
  const frame = root(el), [patients, weights, sizes, count, [xs, ys]] = ["patients", "weights", "sizes", "draws", "span"].map((k) => model.get(k)), N = patients.length;
  const name = (v) => (sizes[v] === N ? `all ${N}` : `${sizes[v]} of ${N}`), C = controls(frame, model, { update, show: { size: name, draws: (v) => `no. ${v}` } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["full", "told", "far", "uphill"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  let /** @type {any} */ at = {};

  const cloud = plot(frame, { x: xs, y: ys, aspect: (ys[1] - ys[0]) / (xs[1] - xs[0]), xticks: 6, yticks: 6, xlabel: "slope along w₁", ylabel: "slope along w₂", label: "The slopes of all batches as dots, the slope of all examples as an arrow" }, (p) => {
    const { full, dots, told } = at, [a, b] = full, r = told * p.w / (xs[1] - xs[0]);
    const marks = dots.map((g) => (up(g) ? marker(p.X(g[0]), p.Y(g[1]), "nfig-dot-b", 1, 4) : marker(p.X(g[0]), p.Y(g[1]), "nfig-dot-a", 0, 4)));
    const arrows = ["nfig-rim", "nfig-arrow"].map((cls) => arrow(p.X(0), p.Y(0), p.X(a), p.Y(b), cls)), order = r < 8 ? [arrows, marks] : [marks, arrows];
    p.area.append(region(p, halfPlane(p.x, p.y, -a, -b, 0), "nfig-side-b"), s("path", { class: "nfig-plumb", d: `M${p.X(0)} 0V${p.high}M0 ${p.Y(0)}H${p.w}` }),
      s("text", { x: p.w - 6, y: 16, "text-anchor": "end" }, "uphill"), ...order.flat(), s("circle", { cx: p.X(a), cy: p.Y(b), r, class: "nfig-pick nfig-dashed" }));
  });
  const curve = plot(frame, { x: [-0.4, sizes.length - 0.6], y: [0, 1], aspect: 0.3, xticks: sizes.map((B, i) => [i, `${B}`]), yticks: 3, xlabel: "batch size", ylabel: "spread", label: "The spread against the size of the batch, predicted and measured" }, (p) => {
    p.area.append(path(p, at.line, "nfig-line nfig-dashed"), ...at.seen.map((v, i) => marker(p.X(i), p.Y(v), "nfig-dot-a", 0, 4)), s("circle", { cx: p.X(S.size), cy: p.Y(at.seen[S.size]), r: 8, class: "nfig-pick" }));
  });
  const up = (g) => g[0] * at.full[0] + g[1] * at.full[1] < 0;

  function update() {
    const all = slopes(patients, weights[S.where]), B = sizes[S.size], full = middle(all), told = predicted(all, B, S.again), made = sizes.map((n) => batches(all, n, count, S.draws, S.again)), dots = made[S.size], fine = 12;
    const between = Array.from({ length: (sizes.length - 1) * fine + 1 }, (_, i) => { const k = Math.floor(i / fine), t = i / fine - k; return [i / fine, t ? sizes[k] ** (1 - t) * sizes[k + 1] ** t : sizes[k]]; });
    at = { full, dots, told, seen: made.map((list) => distance(list, full)), line: between.map(([i, n]) => [i, predicted(all, n, S.again)]) };
    const far = at.seen[S.size], long = Math.hypot(...full), uphill = dots.filter(up).length, away = dots.filter(([a, b]) => a < xs[0] || a > xs[1] || b < ys[0] || b > ys[1]).length;
    put(head, far, `spread ${fmt(far)}`);
    put(out.full, long, fmt(long));
    put(out.told, told, fmt(told, 3));
    put(out.far, far, fmt(far, 3));
    put(out.uphill, uphill, `${uphill} of ${count}`);
    curve.y = [-0.1, 1.08].map((part) => part * Math.max(at.line[0][1], ...at.seen));
    say.textContent = (B === N && !S.again ? `A batch of all ${N} examples has the slope of all: no noise is left. ` : `With ${name(S.size)} examples${S.again ? ", drawn with replacement," : ""} a batch's slope is about ${fmt(told)} away from the slope of all, which is ${fmt(long)} long: ` +
      (told > long ? "the noise is longer than the slope. " : "the slope is longer than the noise. ")) + `${uphill ? uphill : "None"} of these ${count} batches ${uphill === 1 ? "steps" : "step"} uphill.` + (away ? ` ${away} of the dots ${away > 1 ? "lie" : "lies"} outside of the picture.` : "");
    cloud.draw();
    curve.draw();
  }
  el.append(columns(h("div", { style: "max-width:27rem;width:100%;margin:auto" }, cloud.node, key(["nfig-good-ink", "→", "slope of all"], ["nfig-ink-a", "●", "of a batch"], ["nfig-ink-b", "▲", "of one that steps uphill"], ["", "╌", "predicted spread"])),
    panel(head, C.rows.size, C.rows.again, C.rows.where, C.rows.draws, h("dl", { class: "nfig-facts" }, fact("length of the slope of all", out.full), fact("spread, predicted", out.told), fact("spread, measured", out.far), fact("batches that step uphill", out.uphill)),
      curve.node, key(["", "╌", "predicted"], ["nfig-ink-a", "●", "measured"]))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
