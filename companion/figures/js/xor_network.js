// Two inputs, two hidden neurons, one output: exclusive or by weights that were set by hand.
import { button, columns, fmt, h, key, panel, plural, put, root, s, slider, status } from "./kit.js";

export const fires = (z) => +(z >= 0);

// All sums and activations for one pair of inputs.
export function forward(net, x) {
  const z = net.w1.map((w, j) => w[0] * x[0] + w[1] * x[1] + net.b1[j]), a = z.map(fires);
  const out = net.w2[0] * a[0] + net.w2[1] * a[1] + net.b2;
  return { z, a, out, y: fires(out) };
}

function render({ model, el }) {
  const frame = root(el), rows = model.get("rows"), names = model.get("names");
  const start = { w1: model.get("w1"), b1: model.get("b1"), w2: model.get("w2"), b2: model.get("b2") };
  const net = { ...start, b1: [...start.b1] }, x = [...model.get("x")];
  const say = status(), total = h("output", { class: "nfig-big" });
  const W = 340, H = 252, at = { x: [[30, 62], [30, 176]], h: [[166, 62], [166, 176]], y: [292, 119] };
  const svg = s("svg", { viewBox: `0 0 ${W} ${H}`, class: "nfig-svg nfig-net", role: "img", "aria-label": "The network with its sums" });

  function wire(from, to, w, v) {
    const t = from[0] > 100 ? 0.42 : from[1] === to[1] ? 0.5 : 0.3, lx = from[0] + t * (to[0] - from[0]), ly = from[1] + t * (to[1] - from[1]);
    return [s("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], "stroke-width": 1 + 1.6 * Math.abs(w),
      class: `nfig-wire ${w < 0 ? "nfig-minus" : "nfig-plus"} ${v ? "" : "nfig-idle"}` }),
    s("text", { x: lx, y: ly - 6, class: `nfig-onwire ${w < 0 ? "nfig-ink-b" : "nfig-ink-a"}` }, `${fmt(w, 0)}·${v}`)];
  }
  const cell = ([cx, cy], on, text, words) => [s("circle", { cx, cy, r: 20, class: `nfig-cell ${on ? "nfig-on" : ""}` }),
    s("text", { x: cx, y: cy + 6, class: `nfig-act ${on ? "nfig-on" : ""}` }, text),
    ...words.map(([dy, t]) => s("text", { x: cx, y: cy + dy, class: "nfig-under" }, t))];

  const body = h("tbody");
  const heads = ["x₁", "x₂", names[0], names[1], "out", "XOR", ""];
  const table = h("table", { class: "nfig-table" }, h("caption", {}, "All four rows with these biases"),
    h("thead", {}, h("tr", {}, ...heads.map((t) => (t ? h("th", { scope: "col" }, t) : h("td", {}))))), body);

  function update() {
    const now = forward(net, x);
    svg.replaceChildren(
      ...[0, 1].flatMap((j) => [0, 1].flatMap((i) => wire(at.x[i], at.h[j], net.w1[j][i], x[i]))),
      ...[0, 1].flatMap((j) => wire(at.h[j], at.y, net.w2[j], now.a[j])),
      ...[0, 1].flatMap((i) => cell(at.x[i], x[i], x[i], [[i ? 36 : -27, i ? "x₂" : "x₁"]])),
      ...[0, 1].flatMap((j) => cell(at.h[j], now.a[j], now.a[j], [[j ? 38 : -44, `${names[j]}, b = ${fmt(net.b1[j], 1)}`],
        [j ? 55 : -27, `z = ${fmt(now.z[j], 1)}`]])),
      ...cell(at.y, now.y, now.y, [[-27, `out, b = ${fmt(net.b2, 1)}`], [38, `z = ${fmt(now.out, 1)}`]]));
    let right = 0;
    body.replaceChildren(...rows.map(([p, q, want]) => {
      const f = forward(net, [p, q]), good = f.y === want, here = p === x[0] && q === x[1];
      right += good;
      const num = (v, z) => { const c = h("td"); put(c, z, `${v}`); return c; };
      return h("tr", { "aria-current": here && "true", class: good ? "" : "nfig-badrow" }, h("td", {}, `${p}`), h("td", {}, `${q}`),
        num(f.a[0], f.z[0]), num(f.a[1], f.z[1]), num(f.y, f.out), h("td", {}, `${want}`), h("td", {}, good ? "✓ right" : "✗ wrong"));
    }));
    put(total, right, `${right} of 4 rows right`);
    total.classList.toggle("nfig-good", right === 4);
    const want = rows.find((r) => r[0] === x[0] && r[1] === x[1])[2];
    say.textContent = `Inputs ${x[0]} and ${x[1]}: ` + [0, 1].map((j) =>
      `${names[j]} sums to ${fmt(now.z[j], 1)} and ${now.a[j] ? "fires" : "is silent"}`).join(", ") +
      `. The output sums to ${fmt(now.out, 1)} and says ${now.y}; XOR wants ${want}. ${plural(4 - right, "row")} wrong.`;
    inputs.forEach((b, i) => { b.textContent = `x${"₁₂"[i]} = ${x[i]}`; b.setAttribute("aria-pressed", x[i] === 1); });
  }
  const inputs = [0, 1].map((i) => button("", () => { x[i] = 1 - x[i]; update(); }, { class: "nfig-toggle" }));
  const biases = [0, 1].map((j) => slider({ label: `bias of ${names[j]}`, min: -3, max: 1, step: 0.1, value: net.b1[j],
    on: (v) => { net.b1[j] = v; update(); } }));
  const reset = button("Reset", () => {
    net.b1 = [...start.b1];
    biases.forEach((b, j) => b.set(net.b1[j]));
    x.splice(0, 2, ...model.get("x"));
    update();
  });
  el.append(columns(h("div", {}, svg, key(["nfig-ink-a", "━", "weight above 0"], ["nfig-ink-b", "╍", "weight below 0"],
    ["", "1·0", "weight · what comes in"])), panel(total, h("div", { class: "nfig-bar", role: "group", "aria-label": "inputs" }, ...inputs),
    ...biases.map((b) => b.row), reset)), table, say);
  update();
  return frame.off;
}
export default { render };
