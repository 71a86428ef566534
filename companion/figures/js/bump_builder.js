// A curve, rebuilt by one hidden layer whose weights are set by hand: bumps of two sigmoid steps, or corners of ReLUs.
import { columns, controls, drag, fact, fmt, h, key, panel, path, plot, plural, put, root, s, status } from "./kit.js";

/**
 * The curves that are rebuilt, on [0, 1]; on the jump itself the value to its right.
 * @type {Record<string, (x: number) => number>}
 */
export const CURVES = {
  wave: (x) => 0.8 * Math.sin(2 * Math.PI * x) + 0.3 * Math.sin(6 * Math.PI * x),
  jump: (x) => (x < 0.4 ? 4 * x - 0.8 : (x - 0.4) * 8 / 3 - 0.8),
  cusp: (x) => 2 * Math.sqrt(Math.abs(x - 0.4)) - 0.8,
};

/**
 * The sum of n bumps. Where two bumps meet, one step down and one step up are the same sigmoid, so n + 1 steps do; and of those
 * only the ones near x are neither 0 nor 1. Each is 1 / (1 + a · r), with a for the place and r a power of one number.
 * @param {(x: number) => number} f
 * @param {number} n
 * @param {number} steepness
 * @returns {(x: number) => number}
 */
export function bumps(f, n, steepness) {
  const height = Array.from({ length: n }, (_, i) => f((i + 0.5) / n)), reach = Math.ceil(40 / steepness) + 1;
  const rises = Array.from({ length: n + 1 }, (_, k) => (height[k] ?? 0) - (height[k - 1] ?? 0));
  const powers = Array.from({ length: 2 * reach + 1 }, (_, j) => Math.exp(steepness * (j - reach)));
  return (x) => {
    const near = Math.round(x * n), a = Math.exp(-steepness * (x * n - near)), from = Math.max(0, near - reach);
    let sum = from ? height[from - 1] ?? 0 : 0;
    for (let k = from; k <= Math.min(n, near + reach); k++) sum += rises[k] / (1 + a * powers[k - near + reach]);
    return sum;
  };
}

/**
 * n ReLUs that join n + 1 points of the curve: the value at 0, and how much each corner adds to the slope.
 * @param {(x: number) => number} f
 * @param {number} n
 */
export function corners(f, n) {
  const slopes = Array.from({ length: n }, (_, k) => (f((k + 1) / n) - f(k / n)) * n);
  return { start: f(0), bends: slopes.map((v, k) => v - (slopes[k - 1] ?? 0)) };
}

/**
 * What the hidden layer makes of x. The ReLUs before x add up to the straight line between the two points around it.
 * @param {string} curve
 * @param {string} kind
 * @param {number} n
 * @param {number} steepness
 * @returns {(x: number) => number}
 */
export function built(curve, kind, n, steepness) {
  const f = CURVES[curve], points = Array.from({ length: n + 1 }, (_, k) => f(k / n));
  if (kind === "bumps") return bumps(f, n, steepness);
  return (x) => {
    const k = Math.min(n - 1, Math.floor(x * n));
    return points[k] + (points[k + 1] - points[k]) * (x * n - k);
  };
}

/**
 * The largest distance from the curve over places i / parts, and where it is; at a jump the distance to both of its sides counts.
 * @param {string} curve
 * @param {(x: number) => number} value
 * @param {{ low: number, high: number, parts: number, jump: number[] }} places
 */
export function largest(curve, value, { low, high, parts, jump: [at, top] }) {
  const f = CURVES[curve];
  let worst = { error: 0, x: 0, should: 0 };
  const look = (x, should) => {
    const error = Math.abs(value(x) - should);
    if (error > worst.error) worst = { error, x, should };
  };
  for (let i = low; i <= high; i++) look(i / parts, f(i / parts));
  if (curve === "jump") look(at, top);
  return worst;
}

const MOST = 60, few = (v) => fmt(v, v < 0.1 ? 4 : 3);

function render({ model, el }) {
  const frame = root(el), places = { low: model.get("low"), high: model.get("high"), parts: model.get("parts"), jump: model.get("jump") };
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["units", "params", "ratio"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const C = controls(frame, model, { update }), S = C.S, ends = [places.low / places.parts, places.high / places.parts], name = () => (S.kind === "bumps" ? "bump" : "corner");
  const errorOf = (n) => largest(S.curve, built(S.curve, S.kind, n, S.steepness), places);
  let errors = [], drawn = "", worst = errorOf(S.n);

  const grid = (from, to, parts) => Array.from({ length: parts + 1 }, (_, i) => from + (to - from) * i / parts);
  const upper = plot(frame, { x: [0, 1], y: [-1.25, 1.25], aspect: 0.5, xlabel: "x", ylabel: "y", label: "The curve, the parts it is built from, and their sum" }, (p) => {
    const f = CURVES[S.curve], value = built(S.curve, S.kind, S.n, S.steepness), n = S.n, at = places.jump[0], { bends } = corners(f, n);
    const line = (xs, g, cls) => p.area.append(path(p, xs.map((x) => [x, g(x)]), cls));
    for (const [from, to] of [[0, ends[0]], [ends[1], 1]]) p.area.append(s("rect", { x: p.X(from), y: 0, width: p.X(to) - p.X(from), height: p.high, class: "nfig-side-a" }));
    for (let k = 0; k < n; k++) {
      const height = f((k + 0.5) / n), sides = Math.min(3, 5 / S.steepness), step = (u) => 1 / (1 + Math.exp(-S.steepness * u));
      if (S.kind === "bumps") line(grid((k - sides) / n, (k + 1 + sides) / n, Math.max(12, Math.min(36, Math.round(600 / n)))), (x) => height * (step(x * n - k) - step(x * n - k - 1)), "nfig-zero");
      else line([k / n, 1], (x) => bends[k] * (x - k / n), "nfig-zero");
    }
    for (const xs of S.curve === "jump" ? [grid(0, at - 1e-9, 2), grid(at, 1, 2)] : [grid(0, 1, 400)]) line(xs, f, "nfig-curve-b nfig-dashed");
    line(grid(0, 1, S.kind === "corners" ? n : 600), value, "nfig-curve-a");
    p.area.append(s("path", { d: `M${p.X(worst.x)} ${p.Y(worst.should)}V${p.Y(value(worst.x))}`, class: "nfig-tick-bad" }));
  });

  const log = Math.log10;
  const lower = plot(frame, { x: [-0.04, log(MOST) + 0.04], y: [-2.7, 0.4], aspect: 0.44, xticks: [1, 2, 5, 10, 20, 60].map((v) => [log(v), `${v}`]),
    yticks: [1, 0.1, 0.01].map((v) => [log(v), `${v}`]), xlabel: "number n", ylabel: "largest error",
    label: "The largest error against the number, on logarithmic axes, with the slopes 1/n and 1/n²" }, (p) => {
    for (const [power, n, text] of [[1, 42, "1/n"], [2, 16, "1/n²"]]) {
      p.area.append(path(p, [[0, 0], [log(MOST), -power * log(MOST)]], "nfig-zero nfig-dashed"), s("text", { x: p.X(log(+n)), y: p.Y(-power * log(+n)) - 8, class: "nfig-under" }, text));
    }
    if (S.curve === "jump") p.area.append(path(p, [[0, log(places.jump[1])], [log(MOST), log(places.jump[1])]], "nfig-tangent"),
      s("text", { x: p.w / 3, y: p.Y(log(places.jump[1])) + 18, class: "nfig-under" }, "half the jump"));
    p.area.append(path(p, errors.map((v, i) => [log(i + 1), Math.max(-4, log(v))]), "nfig-curve-a"),
      s("circle", { cx: p.X(log(S.n)), cy: p.Y(log(worst.error)), r: 6, class: "nfig-dot-b" }));
  });
  drag(lower, (x) => C.change("n", Math.round(10 ** x)));

  function update() {
    const steep = C.part("steepness"), bumpy = S.kind === "bumps", now = [S.curve, S.kind, bumpy && S.steepness].join();
    steep.input.disabled = !bumpy;
    if (now !== drawn) errors = Array.from({ length: MOST }, (_, i) => errorOf(i + 1).error);
    drawn = now;
    worst = errorOf(S.n);
    const twice = errorOf(2 * S.n).error, units = S.n * (bumpy ? 2 : 1);
    put(head, worst.error, `largest error ${few(worst.error)}`);
    put(out.units, units, `${units}`);
    put(out.params, 3 * units + 1, `${3 * units + 1}`);
    put(out.ratio, worst.error / twice, `÷ ${fmt(worst.error / twice)}`);
    say.textContent = `${plural(S.n, name())}${bumpy ? ` of steepness ${S.steepness}` : ""}, made of ${plural(units, "hidden unit")}, ${S.n === 1 ? "comes" : "come"} within ${few(worst.error)} ` +
      `of the ${C.label("curve").split(/[ ,]/)[0]}; it is missed most at x = ${fmt(worst.x, 3)}. ` +
      (S.curve === "jump" ? `A network has no breaks: however many, half of the jump, ${fmt(places.jump[1], 1)}, is missed on one side of it.` : `Twice as many would come within ${few(twice)}.`);
    upper.draw();
    lower.draw();
  }
  el.append(columns(h("div", {}, upper.node, key(["nfig-ink-b", "╍", "curve"], ["nfig-ink-a", "━", "sum"], ["", "─", "single parts"], ["nfig-ink-bad", "│", "largest error"],
    ["nfig-ink-a", "░", "ends, not counted"]), lower.node, key(["", "╌", "falls like 1/n, like 1/n²"], ["", "✥", "drag to move n"])),
  panel(head, C.rows.curve, C.rows.kind, C.rows.n, C.rows.steepness, h("dl", { class: "nfig-facts" }, fact("hidden units", out.units), fact("parameters: 3 · units + 1", out.params),
    fact("error with 2n", out.ratio)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
