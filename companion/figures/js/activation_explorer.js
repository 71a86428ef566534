// An activation and its slope at a point that the reader moves; what is left of a gradient after n such slopes.
import { columns, controls, drag, fact, fmt, h, handle, key, panel, path, plot, plural, put, root, s, sci, sigmoid, status } from "./kit.js";

const bell = (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);

// Standard normal distribution function. All terms have one sign, so nothing cancels.
function normal(x) {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x, sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += (term *= x * x / k);
  return 0.5 + bell(x) * sum;
}

// name: [value, slope]; at a kink the slope is the one torch takes.
export const FUNCTIONS = {
  step: [(x) => +(x >= 0), () => 0],
  sigmoid: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  relu: [(x) => Math.max(0, x), (x) => +(x > 0)],
  leaky_relu: [(x) => (x > 0 ? x : 0.01 * x), (x) => (x > 0 ? 1 : 0.01)],
  elu: [(x) => (x > 0 ? x : Math.expm1(x)), (x) => (x > 0 ? 1 : Math.exp(x))],
  gelu: [(x) => x * normal(x), (x) => normal(x) + x * bell(x)],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * sigmoid(-x))],
  softplus: [(x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid],
};

function render({ model, el }) {
  const frame = root(el), all = model.get("functions"), [lo, hi] = model.get("x");
  const C = controls(frame, model, { update }), S = C.S;
  const say = status(), out = Object.fromEntries(["value", "slope", "left"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const range = h("dd"), f = () => FUNCTIONS[S.name];
  const grid = Array.from({ length: 301 }, (_, i) => lo + (hi - lo) * i / 300);
  // A step is drawn as two pieces: the jump is no part of the curve.
  const pieces = (g) => (S.name === "step" || (g === f()[1] && ["relu", "leaky_relu"].includes(S.name)) ?
    [grid.filter((v) => v < 0), grid.filter((v) => v > 0)] : [grid]);
  const picture = plot(frame, { x: [lo, hi], y: [0, 1], xlabel: "x", ylabel: "f(x) and f′(x)", group: true, yticks: 5,
    label: "Activation, derivative and tangent" }, (p) => {
    const [value, slope] = f(), v = value(S.x), d = slope(S.x);
    p.area.append(s("path", { class: "nfig-zero", d: `M${p.X(0)} 0V${p.high}M0 ${p.Y(0)}H${p.w}` }),
      s("path", { class: "nfig-plumb", d: `M${p.X(S.x)} 0V${p.high}` }));
    for (const xs of pieces(slope)) p.area.append(path(p, xs.map((t) => [t, slope(t)]), "nfig-curve-b nfig-dashed"));
    for (const xs of pieces(value)) p.area.append(path(p, xs.map((t) => [t, value(t)]), "nfig-curve-a"));
    p.area.append(path(p, [[S.x - 1.5, v - 1.5 * d], [S.x + 1.5, v + 1.5 * d]], "nfig-tangent"),
      s("circle", { cx: p.X(S.x), cy: p.Y(d), r: 5, class: "nfig-dot-b" }));
    knob.set(S.x, p.X(S.x), p.Y(v));
  });
  const knob = handle(frame, { ...C.spec("x"), label: "point on the curve", show: (v) => `x = ${fmt(v)}`, on: (v) => C.change("x", v) });
  picture.above.append(knob.node);
  drag(picture, (v) => C.change("x", v));

  // One bar a layer: what is left of a gradient, on a scale of powers of ten.
  const chain = plot(frame, { x: [0.5, 20.5], y: [-12, 3], aspect: 0.3, xticks: 4, yticks: 5, xlabel: "layer", ylabel: "left, power of ten",
    label: "What is left of a gradient after each layer" }, (p) => {
    const d = Math.abs(f()[1](S.x));
    p.area.append(s("path", { class: "nfig-zero", d: `M0 ${p.Y(0)}H${p.w}` }));
    for (let k = 1; d > 0 && k <= S.n; k++) {
      const top = Math.max(-12, Math.min(3, k * Math.log10(d))), x = p.X(k - 0.35);
      p.area.append(s("rect", { x, y: p.Y(Math.max(0, top)), width: p.X(k + 0.35) - x, height: Math.max(2, p.Y(Math.min(0, top)) - p.Y(Math.max(0, top))), class: "nfig-bar-b" }));
    }
  });

  function update() {
    const info = all.find((a) => a.name === S.name), [value, slope] = f(), v = value(S.x), d = slope(S.x), left = d ** S.n;
    picture.y = info.y;
    put(out.value, v, fmt(v, 4));
    put(out.slope, d, fmt(d, 4));
    put(out.left, left, sci(left, 4));
    range.textContent = info.range;
    const share = Math.abs(left);
    say.textContent = `${info.label} at x = ${fmt(S.x)}: value ${fmt(v, 4)}, slope ${fmt(d, 4)}. After ${plural(S.n, "layer")} ` +
      (d === 0 ? "nothing is left of the gradient." : share > 1.0005 ? `the gradient has grown to ${sci(left, 3)} times itself.` :
        share > 0.9995 ? "the gradient is as large as before." : `${sci(left, 4)} of the gradient is left.`);
    picture.draw();
    chain.draw();
  }
  el.append(columns(h("div", {}, picture.node, key(["nfig-ink-a", "━", "f(x)"], ["nfig-ink-b", "╍", "derivative f′(x)"],
    ["", "─", "tangent"]), chain.node), panel(C.rows.name, C.rows.x, C.rows.n, h("dl", { class: "nfig-facts" }, fact("value f(x)", out.value),
    fact("slope f′(x)", out.slope), fact("range of f", range), fact("left after n layers: slopeⁿ", out.left)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
