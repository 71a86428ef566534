// An activation and its slope at a point that the reader moves; what is left of a gradient after n such slopes.
import { button, choice, columns, drag, fmt, h, handle, key, panel, path, plot, plural, put, root, s, sci, slider, status } from "./kit.js";

const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
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
  const frame = root(el), all = model.get("functions"), [lo, hi] = model.get("x"), start = model.get("start");
  const S = { ...start };
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
  const knob = handle(frame, { label: "point on the curve", min: lo, max: hi, step: 0.05, show: (v) => `x = ${fmt(v)}`,
    on: (v) => { x.set(v); S.x = v; update(); } });
  picture.above.append(knob.node);
  drag(picture, (v) => { x.set(Math.max(lo, Math.min(hi, v))); S.x = x.value; update(); });

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
  }
  const name = choice({ label: "function", options: all.map((a) => [a.name, a.label]), value: S.name,
    on: (v) => { S.name = v; update(); } });
  const x = slider({ label: "x", min: lo, max: hi, step: 0.05, value: S.x, show: (v) => fmt(v), on: (v) => { S.x = v; update(); } });
  const n = slider({ label: "layers n", min: 1, max: 20, step: 1, value: S.n, show: String, on: (v) => { S.n = v; update(); } });
  const reset = button("Reset", () => { Object.assign(S, start); name.input.value = S.name; x.set(S.x); n.set(S.n); update(); });
  const row = (term, node) => h("div", {}, h("dt", {}, term), node);
  el.append(columns(h("div", {}, picture.node, key(["nfig-ink-a", "━", "f(x)"], ["nfig-ink-b", "╍", "derivative f′(x)"],
    ["", "─", "tangent"])), panel(name.row, x.row, n.row, h("dl", { class: "nfig-facts" }, row("value f(x)", out.value),
    row("slope f′(x)", out.slope), row("range of f", range), row("left after n layers: slopeⁿ", out.left)), reset)), say);
  update();
  return frame.off;
}
export default { render };
