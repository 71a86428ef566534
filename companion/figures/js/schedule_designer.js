// A schedule of the rate, and what it does: the expected loss of noisy descent on a quadratic, computed without chance.
import { columns, controls, fact, fmt, h, key, panel, path, plot, put, root, s, sci, status } from "./kit.js";

/** @typedef {{ kind: string, base: number, steps: number, warm: number, drops: number, share: number, first: number, patience: number, threshold: number }} Plan */

const wave = (a, b, done) => b + (a - b) * (1 + Math.cos(Math.PI * done)) / 2;

const sum = (/** @type {number[]} */ [a, b]) => a + b;

// One step of a rate after the other: the two parts of the expected loss, what is left of the way and what is noise.
function noisy(curvatures, noise) {
  let way = curvatures.map(() => 1), cloud = curvatures.map(() => 0);
  const half = (list) => list.reduce((total, v, i) => total + curvatures[i] * v, 0) / 2;
  return (rate) => {
    const kept = (list, more) => list.map((v, i) => (1 - rate * curvatures[i]) ** 2 * v + more);
    [way, cloud] = [kept(way, 0), kept(cloud, rate * rate * noise)];
    return [half(way), half(cloud)];
  };
}

// PyTorch's ReduceLROnPlateau, which sees the expected loss after each step.
function lowered({ base, steps, drops, share, patience, threshold }, after) {
  let rate = base, best = Infinity, bad = 0;
  return Array.from({ length: steps }, () => {
    const now = rate, loss = sum(after(rate));
    if (loss < best * (1 - threshold)) [best, bad] = [loss, 0];
    else if (++bad > patience) [rate, bad] = [Math.max(rate * share ** (1 / drops), base * share), 0];
    return now;
  });
}

/**
 * The rate of each step, as PyTorch's schedules set it.
 * @param {Plan} plan
 * @param {number[]} curvatures  of the quadratic whose loss a plateau's schedule watches
 * @param {number} noise  variance of a slope
 */
export function ratesOf(plan, curvatures, noise) {
  const { kind, base, steps, warm, drops, share, first } = plan;
  if (kind === "plateau") return lowered(plan, noisy(curvatures, noise));
  const w = Math.round(warm * steps), n = steps - w, long = Math.ceil(n / (drops + 1)), up = warm * steps - 1;
  return Array.from({ length: steps }, (_, t) => {
    if (kind === "cycle") return t <= up ? wave(base * first, base, t / up) : wave(base, base * share, (t - up) / (steps - 1 - up));
    if (t < w) return base * (first + (1 - first) * t / w);
    const k = t - w;
    if (kind === "cosine") return wave(base, base * share, k / n);
    return base * (kind === "step" ? share ** (Math.floor(k / long) / drops) : kind === "exponential" ? share ** (k / n) : 1);
  });
}

/**
 * PyTorch's line for it.
 * @param {Plan} plan
 */
export function lineOf({ kind, base, steps, warm, drops, share, first, patience, threshold }) {
  const w = Math.round(warm * steps), n = steps - w, start = `LinearLR(optimizer, start_factor=${first}, total_iters=${w})`, few = (v) => String(+v.toPrecision(12)); // no 0.30000000000000004
  if (kind === "cycle") return `OneCycleLR(optimizer, max_lr=${base}, total_steps=${steps}, pct_start=${warm || "0.0"}, div_factor=${1 / first}, final_div_factor=${few(first / share)}, cycle_momentum=False)`;
  if (kind === "plateau") return share < 1 ? `ReduceLROnPlateau(optimizer, factor=${share} ** (1 / ${drops}), patience=${patience}, threshold=${threshold}, min_lr=${few(base * share)})` : "";
  const main = { constant: "", step: `StepLR(optimizer, step_size=${Math.ceil(n / (drops + 1))}, gamma=${share} ** (1 / ${drops}))`, exponential: `ExponentialLR(optimizer, gamma=${share} ** (1 / ${n}))`,
    cosine: `CosineAnnealingLR(optimizer, T_max=${n}, eta_min=${few(base * share)})` }[kind];
  return w && main ? `SequentialLR(optimizer, [${start}, ${main}], milestones=[${w}])` : w ? start : main;
}

/**
 * The expected loss before the first and after each step: what is left of the way, and what is noise.
 * @param {number[]} rates
 * @param {number[]} curvatures
 * @param {number} noise  variance of a slope
 */
export function expected(rates, curvatures, noise) {
  const after = noisy(curvatures, noise);
  return [0, ...rates].map((rate) => after(rate));
}

const few = (v) => String(+v.toPrecision(3)), loss = (v) => (v < 1e4 ? fmt(v, 4) : sci(v)), LOW = -2.5, TOP = 1;

function render({ model, el }) {
  const frame = root(el), [curvatures, noise, shares, fixed] = ["curvatures", "noise", "shares", "fixed"].map((k) => model.get(k)), limit = 2 / Math.max(...curvatures);
  const C = controls(frame, model, { update, show: { share: (i) => `${few(100 * shares[i])} %`, warm: (v) => `${fmt(100 * v, 0)} %`, base: (v) => fmt(v, 2) } }), S = C.S, slow = C.spec("base"), best = {};
  const say = status(), code = h("code"), out = Object.fromEntries(["rates", "way", "cloud", "still", "best"].map((k) => [k, h("dd", { class: `nfig-${k}` })])), head = h("output", { class: "nfig-big" });
  let /** @type {any} */ at = {};

  const rate = plot(frame, { x: [0, 1], y: [0, 1], aspect: 0.5, xticks: 4, yticks: 3, xlabel: "steps", ylabel: "rate η", label: "The rate of each step" }, (p) => {
    const bound = limit < p.y[1] ? [s("path", { class: "nfig-wrong", d: `M0 ${p.Y(limit)}H${p.w}` }), s("text", { x: p.w - 4, y: p.Y(limit) + (S.base < limit ? -5 : 14), "text-anchor": "end" }, "limit 2/λmax")] : [];
    p.area.append(...bound, path(p, [[0, S.base], [S.steps, S.base]], "nfig-tangent nfig-dashed"), path(p, at.rates.flatMap((v, t) => [[t, v], [t + 1, v]]), "nfig-curve-a"));
  });
  const fall = plot(frame, { x: [0, 1], y: [LOW, TOP], aspect: 0.5, xticks: 4, yticks: [[1, "10"], [0, "1"], [-1, "0.1"], [-2, "0.01"]], xlabel: "steps", ylabel: "expected loss", label: "The expected loss after each step, on a logarithmic scale" }, (p) => {
    const line = (list) => list.map((v, t) => [t, Math.max(LOW, Math.min(TOP + 1, Math.log10(v)))]);
    p.area.append(path(p, line(at.still), "nfig-tangent nfig-dashed"), path(p, line(at.found.map(([, v]) => v || 1e-9)), "nfig-curve-b"), path(p, line(at.found.map(sum)), "nfig-curve-a"));
  });

  const constant = (v, steps) => expected(Array(steps).fill(v), curvatures, noise);
  // The base rate of the slider that ends lowest without a schedule.
  function bestOf(steps) {
    const rates = Array.from({ length: Math.round((slow.max - slow.min) / slow.step) + 1 }, (_, k) => +(slow.min + slow.step * k).toFixed(9)), ends = rates.map((v) => sum(constant(v, steps)[steps])), k = ends.indexOf(Math.min(...ends));
    return [rates[k], ends[k]];
  }

  function update() {
    const plan = /** @type {any} */ ({ ...S, share: shares[S.share], ...fixed }), rates = ratesOf(plan, curvatures, noise), found = expected(rates, curvatures, noise), [way, cloud] = found[S.steps], end = way + cloud, still = constant(S.base, S.steps).map(sum), [good, lowest] = (best[S.steps] ??= bestOf(S.steps));
    at = { rates, found, still };
    const watched = S.kind === "plateau";
    C.part("warm").input.disabled = watched;
    C.part("drops").input.disabled = !watched && S.kind !== "step";
    C.part("share").input.disabled = S.kind === "constant";
    put(head, end, `ends at ${loss(end)}`);
    put(out.rates, rates.join(" "), [rates[0], Math.max(...rates), rates[S.steps - 1]].map(few).join(" → "));
    put(out.way, way, loss(way));
    put(out.cloud, cloud, loss(cloud));
    put(out.still, still[S.steps], loss(still[S.steps]));
    put(out.best, lowest, `${fmt(good, 2)}: ${loss(lowest)}`);
    code.textContent = lineOf(plan) || `no schedule: SGD(parameters, lr=${S.base})`;
    const over = rates.filter((v) => v > limit + 1e-9).length, w = watched ? 0 : Math.round(S.warm * S.steps);
    say.textContent = `${C.label("kind")[0].toUpperCase()}${C.label("kind").slice(1)}: ${w ? `the rate rises for ${w} steps to ${fmt(S.base, 2)}` : `the rate begins with ${few(rates[0])}`} and ends with ${few(rates[S.steps - 1])}. ` +
      `After ${S.steps} steps the expected loss is ${loss(end)}. ` + (way > cloud ? "More of it is left of the way than is noise: the rate is small too early, or the steps are few. " : "More of it is noise than is left of the way. ") +
      (over ? `For ${over} steps the rate is above 2/λmax = ${fmt(limit, 0)}, where the steepest direction grows. ` : "") +
      (end < lowest ? `No constant rate ends as low: the best, ${fmt(good, 2)}, ends at ${loss(lowest)}.` : `A constant ${fmt(good, 2)} ends ${end > lowest * 1.0001 ? "lower" : "as low"}, at ${loss(lowest)}.`);
    rate.x = fall.x = [0, S.steps];
    rate.y = [0, Math.max(1.12 * S.base, S.base > 0.8 * limit ? 1.15 * limit : 0)];
    rate.draw();
    fall.draw();
  }

  el.append(h("div", { class: "nfig-pair", style: "margin:0 auto 1rem;max-width:570px" }, h("div", {}, rate.node, key(["nfig-ink-a", "━", "this schedule"], ["", "╌", "constant"])), h("div", {}, fall.node, key(["nfig-ink-a", "━", "expected loss"], ["nfig-ink-b", "━", "of it noise"], ["", "╌", "constant"]))),
    columns(panel(...["kind", "base", "steps", "warm", "drops", "share"].map((k) => C.rows[k])), panel(head, h("dl", { class: "nfig-facts" }, fact("rate", out.rates), fact("left of the way", out.way),
      fact("noise", out.cloud), fact("constant base rate", out.still), fact("best constant rate", out.best)))), say, h("p", { class: "nfig-sum" }, "In PyTorch: ", code), C.foot);
  update();
  return frame.off;
}
export default { render };
