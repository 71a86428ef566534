// A change of one weight on its way through a network to the loss, with what the slopes predict beside it.
import { bar, columns, controls, drag, fact, fmt, h, handle, key, panel, path, plot, put, root, status } from "./kit.js";
import { boxes } from "./parts/boxes.js";

/**
 * @typedef {{ w: number, a: number, k: number }} Net
 * @typedef {{ other: number, second: number, target: number }} Fixed
 */

/**
 * All values after the weights.
 * @param {number} x
 * @param {Net} net
 * @param {Fixed} fixed
 */
export function forward(x, { w, a, k }, { other, second, target }) {
  const u = w * x, s = Math.tanh(u), h1 = Math.tanh(a * s), h2 = Math.tanh(other * s), y = k * h1 + second * h2;
  return { u, s, h1, h2, y, L: (y - target) ** 2 };
}

/**
 * How much each value changes by a unit of the weight, by multiplying along the ways and adding where they meet.
 * @param {"w" | "a" | "k"} turned
 * @param {number} x
 * @param {Net} net
 * @param {Fixed} fixed
 */
export function slopes(turned, x, net, fixed) {
  const v = forward(x, net, fixed), one = (name) => (turned === name ? 1 : 0);
  const u = one("w") * x, s = u * (1 - v.s ** 2), h1 = (net.a * s + one("a") * v.s) * (1 - v.h1 ** 2), h2 = fixed.other * s * (1 - v.h2 ** 2);
  const y = net.k * h1 + one("k") * v.h1 + fixed.second * h2;
  return { u, s, h1, h2, y, L: 2 * (v.y - fixed.target) * y };
}

/** @type {[string, string, string[], number, number][]} */
const MADE = [["x", "", [], 0.4, 0], ["w", "", [], 1.6, 0], ["u", "·", ["w", "x"], 1, 1], ["s", "tanh", ["u"], 1, 2], ["h1", "tanh(a s)", ["s"], 0.25, 3],
  ["h2", "tanh(−s)", ["s"], 1.75, 3], ["y", "kh1 + ch2", ["h1", "h2"], 1, 4], ["L", "(y − t)²", ["y"], 1, 5]];
const TOP = 2, change = (v, digits = 3) => (Math.abs(v) < 5e-4 ? "0" : (v > 0 ? "+" : "") + fmt(v, digits));

function render({ model, el }) {
  const frame = root(el), net = model.get("net"), fixed = model.get("fixed"), C = controls(frame, model, { update }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" });
  const out = { true: h("dd", { class: "nfig-true" }), told: h("dd", { class: "nfig-told" }), missed: h("dd", { class: "nfig-missed" }) };
  const graph = boxes("The network with the change of each value", MADE), at = (d) => forward(S.x, { ...net, [S.turned]: net[S.turned] + d }, fixed);
  const spec = C.spec("delta"), point = handle(frame, { label: "turned by δ, in the picture", min: spec.min, max: spec.max, step: spec.step, show: (v) => fmt(v), on: (v) => C.change("delta", v) });
  const curve = plot(frame, { x: [-1, 1], y: [0, TOP], aspect: 0.42, xticks: [[-0.5, "−0.5"], [0, "0"], [0.5, "0.5"], [1, "1"]], yticks: 4, xlabel: "turned by δ", ylabel: "loss", group: true, label: "The loss against δ, and the line that the slope predicts" }, (p) => {
    const before = at(0).L, slope = slopes(S.turned, S.x, net, fixed).L, places = Array.from({ length: 81 }, (_, i) => -1 + i / 40);
    const inside = places.filter((d) => before + slope * d >= 0 && before + slope * d <= TOP);
    p.area.append(path(p, inside.map((d) => [d, before + slope * d]), "nfig-curve-b nfig-dashed"), path(p, places.map((d) => [d, Math.min(at(d).L, TOP)]), "nfig-curve-a"));
    point.set(S.delta, p.X(S.delta), p.Y(Math.min(at(S.delta).L, TOP)));
  });
  curve.above.append(point.node);
  drag(curve, (d) => C.change("delta", d));

  function told(was, now, by) {
    const part = { w: `h1 by ${change(by.h1)} and h2 by ${change(by.h2)}`, a: `h1 by ${change(by.h1)}; u, s and h2 do not feel it`, k: "nothing before y" }[S.turned];
    const meet = S.turned === "w" ? `In y the two ways meet: ${change(net.k * by.h1)} and ${change(fixed.second * by.h2)} make ${change(by.y)}.` : `y changes by ${change(by.y)}.`;
    const miss = Math.abs(by.L - S.delta * slopes(S.turned, S.x, net, fixed).L);
    return `${S.turned} is turned by ${change(S.delta, 2)}. It changes ${part}. ${meet} The loss goes from ${fmt(was.L, 3)} to ${fmt(now.L, 3)}; ` +
      (miss < 5e-4 ? "the slope predicts it to three digits." : `the slope misses that by ${fmt(miss, 3)}.`);
  }

  function update() {
    const was = at(0), now = at(S.delta), slope = slopes(S.turned, S.x, net, fixed), names = Object.keys(was), by = Object.fromEntries(names.map((n) => [n, now[n] - was[n]]));
    put(head, by.L, `loss: ${change(by.L)}`);
    put(out.true, by.L, change(by.L));
    put(out.told, slope.L * S.delta, change(slope.L * S.delta));
    put(out.missed, by.L - slope.L * S.delta, change(by.L - slope.L * S.delta));
    graph.draw(MADE.map(([name]) => {
      if (name === "x") return { left: fmt(S.x), right: "" };
      if (name === "w") return { left: fmt(net.w), right: S.turned === "w" ? change(S.delta, 2) : "", hand: S.turned === "w" };
      const enters = (S.turned === "a" && name === "h1") || (S.turned === "k" && name === "y");
      return { left: fmt(now[name], 2), right: change(by[name], 2), hand: enters };
    }), MADE.map(([, , parents]) => parents.map((parent) => {
      const v = parent === "w" ? (S.turned === "w" ? S.delta : 0) : by[parent] ?? 0;
      return { cls: Math.abs(v) < 5e-4 ? "nfig-idle" : v < 0 ? "nfig-minus" : "nfig-plus", width: 1.5 + 6 * Math.min(1, Math.abs(v)) };
    })));
    say.textContent = told(was, now, by);
    curve.draw();
  }
  el.append(bar(C.rows.turned), columns(h("div", {}, graph.svg, key(["", "0.5", "left: value now"], ["nfig-ink-b", "+0.5", "right: its change"], ["nfig-ink-a", "━", "up"], ["nfig-ink-b", "╍", "down"],
    ["", "a, k, c, t", `are ${[net.a, net.k, fixed.second, fixed.target].map((v) => fmt(v, 1)).join(", ")}`])),
    panel(head, C.rows.delta, C.rows.x, h("dl", { class: "nfig-facts" }, fact("change of the loss", out.true), fact("predicted: slope · δ", out.told), fact("missed by", out.missed)),
      curve.node, key(["nfig-ink-a", "━", "loss"], ["nfig-ink-b", "╍", "slope at δ = 0"], ["", "✥", "drag"]))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
