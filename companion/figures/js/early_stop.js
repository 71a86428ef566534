// Recorded validation curves: where a patience stops a training, which weights come back, and what new digits say of them.
import { columns, controls, fact, fmt, h, key, panel, path, plot, plural, put, root, s, short, status } from "./kit.js";

/**
 * A curve in thousandths, look by look.
 * @param {string} text
 */
export const unpacked = (text) => text.split(" ").map(Number);

/**
 * The mean of the last looks at each look, of fewer at the beginning.
 * @param {number[]} curve
 * @param {number} window
 */
export const smoothed = (curve, window) => curve.map((_, k) => {
  const part = curve.slice(Math.max(0, k - window + 1), k + 1);
  return part.reduce((sum, v) => sum + v, 0) / part.length;
});

/**
 * Where a training stops, and where it was best by then: after `patience` looks in a row that have not beaten the best by more than `delta`.
 * @param {number[]} curve
 * @param {number} patience
 * @param {number} delta
 */
export function stop(curve, patience, delta = 0) {
  let best = 0, at = 0;
  for (; at < curve.length; at++) {
    if (at && curve[at] < curve[best] - delta) best = at;
    else if (at - best >= patience) return { at, best };
  }
  return { at: at - 1, best };
}

/**
 * Where a curve is lowest, for the first time.
 * @param {number[]} curve
 */
export const lowest = (curve) => curve.indexOf(Math.min(...curve));

function render({ model, el }) {
  const frame = root(el), [networks, every] = ["networks", "every"].map((k) => model.get(k)), step = (k) => every * (k + 1), three = (v) => fmt(v / 1000, 3);
  const C = controls(frame, model, { update, show: { run: (v) => `no. ${v}`, patience: (v) => plural(v, "look"), delta: short, window: (v) => (v === 1 ? "none" : `mean of ${v} looks`) } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["stop", "best", "low", "back", "last"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const size = () => `${S.size} validation digits`;
  let /** @type {any} */ at = {};

  const faint = (node) => { node.setAttribute("style", "opacity:.45;stroke-width:1.4"); return node; };
  const upright = (p, k) => s("path", { class: "nfig-plumb", d: `M${p.X(step(k))} 0V${p.high}` });
  const mark = (p, curve, k, r, cls) => s("circle", { cx: p.X(step(k)), cy: p.Y(curve[k] / 1000), r, class: cls });
  const drawn = (p, curve, ink) => {
    const places = curve.map((v, k) => [step(k), v / 1000]), { end, low, kept } = at;
    p.area.append(s("rect", { class: "nfig-side-b", x: p.X(step(end.best)), y: 0, width: p.X(step(end.at)) - p.X(step(end.best)), height: p.high }), upright(p, end.at),
      faint(path(p, places, `nfig-curve-${ink}`)), ...places.slice(end.at + 1).map((_, k) => faint(mark(p, curve, end.at + 1 + k, 1.8, `nfig-dot-${ink}`))),
      path(p, places.slice(0, end.at + 1), `nfig-curve-${ink}`), ...places.slice(0, end.at + 1).map((_, k) => mark(p, curve, k, 2.6, `nfig-dot-${ink}`)), mark(p, curve, low, 8, "nfig-wrong"), mark(p, curve, kept, 6.5, `nfig-dot-${ink}`));
  };
  const range = { x: [0, 1], xticks: 6, xlabel: "step" };
  const loss = plot(frame, { ...range, y: [0, 1], yticks: 4, aspect: 0.6, ylabel: "validation loss", label: "" }, (p) => {
    const { raw, curve, end, bar } = at;
    if (S.window > 1) p.area.append(faint(path(p, raw.map((v, k) => [step(k), v / 1000]), "nfig-tangent")));
    drawn(p, curve, "a");
    p.area.append(path(p, [end.best, end.at].map((k) => [step(k), bar / 1000]), "nfig-tangent"));
  });
  const share = plot(frame, { ...range, y: [0, 0.44], yticks: 3, aspect: 0.4, ylabel: "share of new digits wrong", label: "" }, (p) => drawn(p, at.wrong, "b"));

  function update() {
    const { held, wrong: text } = networks[S.run - 1], raw = unpacked(held[S.size]), wrong = unpacked(text), curve = smoothed(raw, S.window), delta = Math.round(1000 * S.delta);
    const end = stop(curve, S.patience, delta), low = lowest(curve), kept = S.kept === "best" ? end.best : end.at, bar = curve[end.best] - delta, late = end.at - end.best < S.patience;
    at = { raw, curve, wrong, end, low, kept, bar };
    put(head, end.best, end.best === low ? "it finds the lowest point" : "it misses the lowest point");
    put(out.stop, step(end.at), `${step(end.at)}`);
    put(out.best, step(end.best), `${step(end.best)} (loss ${three(curve[end.best])})`);
    put(out.low, step(low), `${step(low)} (loss ${three(curve[low])})`);
    put(out.back, wrong[end.best], three(wrong[end.best]));
    put(out.last, wrong[end.at], three(wrong[end.at]));
    const beaten = `a loss below ${three(bar)}`, mean = S.window > 1 ? `, as a mean of ${S.window} looks` : "";
    say.textContent = `Run ${S.run}, ${size()}, patience ${S.patience}: step ${step(end.best)} has a loss of ${three(curve[end.best])}${mean}. ` +
      (late ? `The training ends at step ${step(end.at)} before ${plural(S.patience, "look")} in a row have brought none below ${three(bar)}. ` : `The next ${S.patience > 1 ? `${S.patience} looks bring` : "look brings"} no ${beaten.slice(2)}, and it stops at step ${step(end.at)}. `) +
      `${S.kept === "best" ? "The best weights are put back" : "The last weights are kept"}: ${three(wrong[kept])} of the new digits are wrong${kept === end.at && S.kept === "best" ? "" : `, with the ${S.kept === "best" ? "last" : "best"} ones ${three(wrong[S.kept === "best" ? end.at : end.best])}`}. ` +
      (end.best === low ? "This best look is the lowest point of the whole curve." : `The lowest point of the whole curve, ${three(curve[low])} at step ${step(low)}, ${low > end.at ? "it never sees" : "it sees, and does not count"}; there ${three(wrong[low])} are wrong.`) +
      (S.whole ? ` At the end, step ${step(raw.length - 1)}, the loss is ${three(curve.at(-1))}, and ${three(wrong.at(-1))} are wrong.` : "");
    const looks = S.whole ? raw.length : Math.min(raw.length, Math.max(30, 10 * Math.ceil((Math.max(end.at, low) + 2) / 10))), part = raw.slice(0, looks);
    const top = Math.max(...part), foot = Math.min(...part, bar), words = (name, list) => `${name}: ${[...new Set([0, end.best, end.at, low, list.length - 1])].sort((a, b) => a - b).map((k) => `step ${step(k)} ${three(list[k])}`).join(", ")}`;
    loss.y = [foot - 0.12 * (top - foot), top + 0.05 * (top - foot)].map((v) => v / 1000);
    loss.x = share.x = [0, every * (looks + 0.5)];
    loss.svg.setAttribute("aria-label", words("Validation loss", curve));
    share.svg.setAttribute("aria-label", words("Share of new digits wrong", wrong));
    loss.draw();
    share.draw();
  }

  el.append(columns(h("div", {}, loss.node, key(["nfig-ink-a", "━", "seen, then faint: never seen"], ["nfig-ink-a", "●", "weights kept"], ["nfig-ink-bad", "○", "lowest of all"], ["nfig-ink-b", "▨", "waiting"], ["", "━", "to be beaten"]), share.node),
    panel(C.rows.run, C.rows.size, C.rows.patience, head, C.rows.delta, C.rows.window, C.rows.kept, C.rows.whole,
      h("dl", { class: "nfig-facts" }, fact("stops at step", out.stop), fact("best by then", out.best), fact("lowest of all", out.low), fact("wrong with the best", out.back), fact("wrong with the last", out.last)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
