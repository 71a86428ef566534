// Plots: one unit is one CSS pixel, so letters keep their size on a phone.
import { uid, h, s } from "./dom.js";
import { fmt } from "./numbers.js";
import { ticks } from "./geometry.js";

// xticks and yticks: about how many numbers an axis names, or a list of [place, text] where it names them in its own way.
export function plot(frame, { x, y, xlabel, ylabel, label, aspect = 0.62, xticks = /** @type {any} */ (6), yticks = /** @type {any} */ (4), group = false }, paint) {
  const left = 34, top = 24, low = 38, right = 8, move = `translate(${left} ${top})`;
  const axes = s("g", { class: "nfig-axes", transform: move }), area = s("svg", { x: left, y: top });
  const above = s("g", { transform: move });        // never rebuilt: what stands here keeps the focus
  const svg = s("svg", { class: "nfig-svg", role: group ? "group" : "img", "aria-label": label }, axes, area, above);
  const node = h("div", { class: "nfig-plot" }, svg), p = { node, svg, area, above, x, y, ylabel };
  p.draw = () => {
    const W = Math.max(220, node.clientWidth || 360), w = W - left - right, high = Math.round(w * aspect);
    svg.setAttribute("viewBox", `0 0 ${W} ${high + top + low}`);
    area.setAttribute("width", w);
    area.setAttribute("height", high);
    p.w = w;
    p.high = high;
    p.X = (v) => (v - p.x[0]) / (p.x[1] - p.x[0]) * w;
    p.Y = (v) => (p.y[1] - v) / (p.y[1] - p.y[0]) * high;
    p.at = (e) => {
      const r = svg.getBoundingClientRect(), k = W / r.width;
      return [p.x[0] + ((e.clientX - r.left) * k - left) / w * (p.x[1] - p.x[0]),
        p.y[1] - ((e.clientY - r.top) * k - top) / high * (p.y[1] - p.y[0])];
    };
    const named = (range, given) => {
      if (Array.isArray(given)) return given;
      const t = given ? ticks(range, given) : [], digits = Math.max(...t.map((v) => (String(v).split(".")[1] || "").length));
      return t.map((v) => [v, fmt(v, digits)]);
    };
    axes.replaceChildren(s("path", { d: `M0 0V${high}H${w}` }),
      ...named(p.x, xticks).map(([v, text]) => s("text", { x: p.X(v), y: high + 16, "text-anchor": "middle" }, text)),
      ...named(p.y, yticks).flatMap(([v, text]) => [s("path", { class: "nfig-grid", d: `M0 ${p.Y(v)}H${w}` }),
        s("text", { x: -6, y: p.Y(v) + 4, "text-anchor": "end" }, text)]),
      s("text", { x: w, y: high + 33, "text-anchor": "end", class: "nfig-name" }, xlabel),
      s("text", { x: 2 - left, y: -10, class: "nfig-name" }, p.ylabel));
    area.replaceChildren();
    paint(p);
  };
  if (globalThis.ResizeObserver) {
    let seen = 0;
    const eye = new ResizeObserver(() => { if (node.clientWidth !== seen) { seen = node.clientWidth; p.draw(); } });
    eye.observe(node);
    frame.undo(() => eye.disconnect());
  }
  return p;
}

export const path = (p, points, cls) => s("path", { class: cls,
  d: points.map(([x, y], i) => (i ? "L" : "M") + p.X(x).toFixed(1) + " " + p.Y(y).toFixed(1)).join("") });

export function region(p, corners, cls) {
  return s("polygon", { class: cls, points: corners.map(([x, y]) => `${p.X(x).toFixed(1)},${p.Y(y).toFixed(1)}`).join(" ") });
}

// Diagonal lines as the second cue beside a colour.
export function hatch(cls) {
  const id = uid();
  return { fill: `fill:url(#${id})`, defs: s("defs", {}, s("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)" }, s("path", { d: "M0 0V8", class: cls }))) };
}

// Class 0 is a dot, class 1 a triangle.
export function marker(x, y, cls, kind, r = 4) {
  if (!kind) return s("circle", { cx: x, cy: y, r, class: cls });
  const a = r * 1.25;
  return s("path", { class: cls, d: `M${x} ${y - a}L${x + a} ${y + a * 0.8}H${x - a}Z` });
}

export function arrow(x0, y0, x1, y1, cls) {
  const a = Math.atan2(y1 - y0, x1 - x0), tip = (t) => `L${x1 - 10 * Math.cos(a + t)} ${y1 - 10 * Math.sin(a + t)}`;
  return s("path", { class: cls, d: `M${x0} ${y0}L${x1} ${y1}M${x1} ${y1}${tip(0.45)}M${x1} ${y1}${tip(-0.45)}` });
}

// Pointer, pen and finger: calls on(x, y) in data units from press to release. begin(x, y) may decline a press.
export function drag(p, on, begin = (_x, _y) => true, cursor = "nfig-drag") {
  let held = false;
  p.svg.classList.add(cursor);
  p.svg.addEventListener("pointerdown", (e) => {
    if (!begin(...p.at(e))) return;
    held = true;
    p.svg.setPointerCapture(e.pointerId);
    e.preventDefault();
    on(...p.at(e));
  });
  p.svg.addEventListener("pointermove", (e) => { if (held) on(...p.at(e)); });
  for (const t of ["pointerup", "pointercancel"]) p.svg.addEventListener(t, () => { held = false; });
}

// A point of the picture that stands for a slider: arrow keys, Page Up and Down, Home and End move it. Put node into p.above.
export function handle(frame, { label, min, max, step, show, on }) {
  let value = min;
  const node = s("g", { class: "nfig-handle", role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": min,
    "aria-valuemax": max }, s("circle", { r: 14, class: "nfig-halo" }), s("circle", { r: 6 }));
  const moves = { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step, PageUp: 10 * step,
    PageDown: -10 * step, Home: -Infinity, End: Infinity };
  frame.keys(node, (e) => {
    if (!(e.key in moves)) return;
    e.preventDefault();
    on(Math.max(min, Math.min(max, +(value + moves[e.key]).toFixed(9))));
  });
  return { node, set(v, x, y) {
    value = v;
    node.setAttribute("aria-valuenow", v);
    node.setAttribute("aria-valuetext", show(v));
    node.setAttribute("transform", `translate(${x} ${y})`);
  } };
}
