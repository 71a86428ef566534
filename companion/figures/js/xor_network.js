// Two inputs, two hidden neurons, one output: where each of them fires, and whether the four rows of exclusive or come out.
import { bar, columns, controls, fmt, h, heat, key, marker, network, panel, plot, plural, put, root, s, signed, status } from "./kit.js";

export const fires = (z) => +(z >= 0);

/**
 * All sums and activations for one pair of inputs. Sums are rounded: the sliders have one decimal, and a sum of 0 must be 0.
 * @param {{ w1: number[][], b1: number[], w2: number[], b2: number }} net
 * @param {number[]} x
 */
export function forward(net, x) {
  const exact = (v) => Math.round(v * 1e9) / 1e9;
  const z = net.w1.map((w, j) => exact(w[0] * x[0] + w[1] * x[1] + net.b1[j])), a = z.map(fires);
  const out = exact(net.w2[0] * a[0] + net.w2[1] * a[1] + net.b2);
  return { z, a, out, y: fires(out) };
}

/**
 * The network that the sliders stand for: for each neuron two weights and a bias.
 * @param {Record<string, any>} S
 */
export const netOf = (S) => ({ w1: [[S.or1, S.or2], [S.and1, S.and2]], b1: [S.orb, S.andb], w2: [S.out1, S.out2], b2: S.outb });

const SPAN = [-0.5, 1.5], NEURONS = ["or", "and", "out"];

function render({ model, el }) {
  const frame = root(el), rows = model.get("rows"), names = model.get("names");
  const say = status(), total = h("output", { class: "nfig-big" }), sum = h("p", { class: "nfig-sum" }), z = h("b", { class: "nfig-z" });
  const C = controls(frame, model, { update }), S = C.S;
  const maps = NEURONS.map(() => heat({ width: 46, height: 46, xs: SPAN, ys: SPAN, cells: 24 }));
  const large = heat({ xs: SPAN, ys: SPAN, cells: 64 });
  const graph = network(frame, { label: "The network: each neuron holds a map of where it fires", sizes: [2, 2, 1], pick: (l, i) => C.change("node", l === 1 ? NEURONS[i] : "out"),
    names: [["input x₁", "input x₂"], [`neuron ${names[0]}`, `neuron ${names[1]}`], ["neuron out"]] });
  const activity = (net, k) => (x, y) => { const f = forward(net, [x, y]); return k < 2 ? f.a[k] : f.y; };

  const plane = plot(frame, { x: SPAN, y: SPAN, aspect: 0.72, xticks: 2, yticks: 2, xlabel: "x₁", ylabel: "x₂",
    label: "Where the chosen neuron fires, over all pairs of inputs" }, (p) => {
    const net = netOf(S), k = NEURONS.indexOf(S.node);
    large.move(0, 0, p.w, p.high);
    large.paint(activity(net, k));
    p.area.append(large.node);
    for (const [a, b, want] of rows) {
      const f = forward(net, [a, b]), X = p.X(a), Y = p.Y(b);
      if (k === 2 && f.y !== want) p.area.append(s("circle", { cx: X, cy: Y, r: 12, class: "nfig-wrong" }));
      if (a === +S.x1 && b === +S.x2) p.area.append(s("circle", { cx: X, cy: Y, r: 16, class: "nfig-pick" }));
      p.area.append(marker(X, Y, want ? "nfig-dot-b" : "nfig-dot-a", want, 7));
    }
  });

  const body = h("tbody"), heads = ["x₁", "x₂", names[0], names[1], "out", "XOR", "judged"];
  const table = h("table", { class: "nfig-table" }, h("caption", {}, "All four rows"),
    h("thead", {}, h("tr", {}, ...heads.map((t) => h("th", { scope: "col" }, t)))), body);

  function update() {
    const net = netOf(S), x = [+S.x1, +S.x2], now = forward(net, x), k = NEURONS.indexOf(S.node);
    const wire = (w, v) => ({ w, text: `${fmt(w, 1)}·${v}`, idle: !v });
    const neuron = (name, j, sum, on) => ({ above: name, under: `z = ${fmt(sum, 1)}`, text: `${on}`, map: maps[j] });
    maps.forEach((map, j) => map.paint(activity(net, j)));
    graph.draw([x.map((v, i) => ({ text: `${v}`, under: `x${"₁₂"[i]}` })), names.map((name, j) => neuron(name, j, now.z[j], now.a[j])),
      [neuron("out", 2, now.out, now.y)]], [net.w1.map((w) => w.map((v, i) => wire(v, x[i]))), [net.w2.map((v, j) => wire(v, now.a[j]))]],
    k < 2 ? [1, k] : [2, 0]);
    let right = 0;
    body.replaceChildren(...rows.map(([p, q, want]) => {
      const f = forward(net, [p, q]), good = f.y === want, here = p === x[0] && q === x[1];
      right += +good;
      const num = (v, by) => { const c = h("td"); put(c, by, `${v}`); return c; };
      return h("tr", { "aria-current": here && "true", class: good ? "" : "nfig-badrow" }, h("td", {}, `${p}`), h("td", {}, `${q}`),
        num(f.a[0], f.z[0]), num(f.a[1], f.z[1]), num(f.y, f.out), h("td", {}, `${want}`), h("td", {}, good ? "✓ right" : "✗ wrong"));
    }));
    put(total, right, `${right} of 4 rows right`);
    total.classList.toggle("nfig-good", right === 4);
    const [w, b, into, came, sums, on] = k < 2 ? [net.w1[k], net.b1[k], ["x₁", "x₂"], x, now.z[k], now.a[k]] : [net.w2, net.b2, names, now.a, now.out, now.y];
    const title = k < 2 ? names[k] : "out";
    put(z, sums, fmt(sums, 1));
    sum.replaceChildren(`${title}: z = ${fmt(w[0], 1)} · ${into[0]} ${signed(w[1], 1)} · ${into[1]} ${signed(b, 1)} = ${fmt(w[0], 1)} · ${came[0]} ` +
      `${signed(w[1], 1)} · ${came[1]} ${signed(b, 1)} = `, z, ` ${on ? "≥ 0: it fires" : "< 0: it is silent"}`);
    for (const [name, row] of Object.entries(C.rows)) row.hidden = !["x1", "x2", "node"].includes(name) && !name.startsWith(S.node);
    const want = rows.find((r) => r[0] === x[0] && r[1] === x[1])[2];
    say.textContent = `Inputs ${x[0]} and ${x[1]}: ` + [0, 1].map((j) =>
      `${names[j]} sums to ${fmt(now.z[j], 1)} and ${now.a[j] ? "fires" : "is silent"}`).join(", ") +
      `. The output sums to ${fmt(now.out, 1)} and says ${now.y}; XOR wants ${want}. ${plural(4 - right, "row")} wrong. ` +
      `The map shows where ${title} fires.`;
    plane.draw();
  }
  const dials = Object.entries(C.rows).filter(([name]) => !["node", "x1", "x2"].includes(name)).map(([, row]) => row);
  el.append(columns(h("div", {}, graph.svg, key(["nfig-ink-a", "━", "weight above 0"], ["nfig-ink-b", "╍", "weight below 0"],
    ["", "■", "where a neuron fires"])), panel(total, C.rows.node, plane.node, key(["nfig-ink-a", "●", "XOR is 0"], ["nfig-ink-b", "▲", "XOR is 1"],
    ["nfig-ink-bad", "○", "wrong"]))), bar(C.rows.x1, C.rows.x2), h("div", { class: "nfig-dials" }, ...dials), sum, table, say, C.foot);
  update();
  return frame.off;
}
export default { render };
