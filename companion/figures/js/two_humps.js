// One bell that is moved and widened over two humps, and the Kullback-Leibler divergence in both directions.
import { columns, controls, drag, fact, fmt, h, key, panel, path, plot, put, root, s, status } from "./kit.js";

/**
 * A Gaussian at the places from -end to end, as shares that add up to 1.
 * @param {number} middle
 * @param {number} spread
 * @param {{ end: number, parts: number }} grid
 * @returns {number[]}
 */
export function bell(middle, spread, { end, parts }) {
  const q = Array.from({ length: parts + 1 }, (_, i) => Math.exp(-((-end + (2 * end * i) / parts - middle) ** 2) / (2 * spread ** 2)));
  const sum = q.reduce((a, b) => a + b, 0);
  return q.map((v) => v / sum);
}

/**
 * KL(p || q) in nats; a share of 0 counts as the smallest one.
 * @param {number[]} p
 * @param {number[]} q
 * @param {number} smallest
 */
export const divergence = (p, q, smallest) => p.reduce((sum, v, i) => sum + v * (Math.log(Math.max(v, smallest)) - Math.log(Math.max(q[i], smallest))), 0);

const TOP = 0.045, MOST = 8;

function render({ model, el }) {
  const frame = root(el), grid = { end: model.get("end"), parts: model.get("parts") }, small = model.get("smallest"), all = model.get("humps");
  const C = controls(frame, model, { update }), S = C.S, say = status(), head = h("output", { class: "nfig-big" });
  const out = { covers: h("dd", { class: "nfig-forward" }), picks: h("dd", { class: "nfig-reverse" }), cross: h("dd", { class: "nfig-cross" }) };
  const mixed = () => all[S.target].map(([m, w, share]) => bell(m, w, grid).map((v) => share * v)).reduce((a, b) => a.map((v, i) => v + b[i]));
  const x = (i) => -grid.end + (2 * grid.end * i) / grid.parts;
  let p = mixed(), scan = [], drawn = "";

  const upper = plot(frame, { x: [-grid.end, grid.end], y: [0, TOP], aspect: 0.46, xticks: 4, yticks: 3, xlabel: "x", ylabel: "share", label: "The two humps p and the bell q" }, (a) => {
    const q = bell(S.middle, S.spread, grid), curve = (v) => v.map((share, i) => [x(i), Math.min(share, TOP)]);
    a.area.append(path(a, curve(p), "nfig-curve-b nfig-dashed"), path(a, curve(q), "nfig-curve-a"));
  });
  drag(upper, (v) => C.change("middle", Math.round(20 * v) / 20));
  const lower = plot(frame, { x: [-4, 4], y: [0, MOST], aspect: 0.36, xticks: 4, yticks: 4, xlabel: "middle of q", ylabel: "nats", label: "Both divergences against the middle of q, for the spread that is set" }, (a) => {
    const line = (k, cls) => path(a, scan.map((v) => [v.middle, Math.min(v[k], MOST)]), cls), at = (v) => a.Y(Math.min(v, MOST));
    const here = { forward: +out.covers.dataset.v, reverse: +out.picks.dataset.v };
    a.area.append(line("forward", "nfig-curve-a"), line("reverse", "nfig-curve-b nfig-dashed"),
      s("circle", { cx: a.X(S.middle), cy: at(here.forward), r: 6, class: "nfig-dot-a" }), s("circle", { cx: a.X(S.middle), cy: at(here.reverse), r: 6, class: "nfig-dot-b" }));
  });

  function update() {
    p = mixed();
    const q = bell(S.middle, S.spread, grid), forward = divergence(p, q, small), reverse = divergence(q, p, small), entropy = -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);
    const now = [S.target, S.spread].join();
    if (now !== drawn) scan = Array.from({ length: 81 }, (_, k) => {
      const middle = -4 + k / 10, other = bell(middle, S.spread, grid);
      return { middle, forward: divergence(p, other, small), reverse: divergence(other, p, small) };
    });
    drawn = now;
    put(head, forward, `KL(p, q) = ${fmt(forward, 3)}`);
    put(out.covers, forward, `${fmt(forward, 3)} nats`);
    put(out.picks, reverse, `${fmt(reverse, 3)} nats`);
    put(out.cross, entropy + forward, `${fmt(entropy, 3)} + ${fmt(forward, 3)} = ${fmt(entropy + forward, 3)}`);
    say.textContent = `The bell stands at ${fmt(S.middle)} with a spread of ${fmt(S.spread)}. KL(p, q) is ${fmt(forward, 3)}, KL(q, p) ${fmt(reverse, 3)} nats. ` +
      (forward > 2 * reverse ? "The bell leaves out places where p has something, and only KL(p, q) pays for that." :
        reverse > 2 * forward ? "The bell stands where p has nothing, and only KL(q, p) pays for that." : "Both directions cost about the same here.");
    upper.draw();
    lower.draw();
  }
  el.append(columns(h("div", {}, upper.node, key(["nfig-ink-b", "╍", "p, two humps"], ["nfig-ink-a", "━", "q, one bell"], ["", "✥", "drag to move q"]), lower.node,
    key(["nfig-ink-a", "━", "KL(p, q)"], ["nfig-ink-b", "╍", "KL(q, p)"])),
  panel(head, ...Object.values(C.rows), h("dl", { class: "nfig-facts" }, fact("KL(p, q), covers", out.covers), fact("KL(q, p), picks", out.picks), fact("H(p) + KL = H(p, q)", out.cross)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
