// Shared by all figures: elements, numbers in words, plots, controls. No dependency, no network.
// Conventions that figures/figure.py relies on when it joins the files: one `import {...} from "./kit.js";`
// at most, `export` only before `const`, `function` or `default`, no template literal over several lines.
const NS = "http://www.w3.org/2000/svg";
let count = 0;

export const uid = () => `nf${++count}`;

function build(node, attrs, kids) {
  for (const [k, v] of Object.entries(attrs)) {
    if (k.startsWith("on")) node.addEventListener(k.slice(2), v);
    else if (v === true) node.setAttribute(k, "");
    else if (v !== false && v != null) node.setAttribute(k, v);
  }
  node.append(...kids);
  return node;
}

export const h = (tag, attrs = {}, ...kids) => build(document.createElement(tag), attrs, kids);
export const s = (tag, attrs = {}, ...kids) => build(document.createElementNS(NS, tag), attrs, kids);

// For text that study.py has already made safe.
export function markup(tag, attrs, html) {
  const node = h(tag, attrs);
  node.innerHTML = html;
  return node;
}

// ---- numbers

export function fmt(v, digits = 2) {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v < 0 ? "−inf" : "inf";
  const t = v.toFixed(digits);
  return (+t === 0 ? t.replace("-", "") : t).replace("-", "−");
}

// Plain when a few decimals say it, otherwise 1.2e−7.
export function sci(v, digits = 3) {
  const a = Math.abs(v);
  if (!Number.isFinite(v) || v === 0 || (a >= 10 ** (1 - digits) && a < 1e5)) return fmt(v, digits);
  return v.toExponential(2).replace("e+", "e").replaceAll("-", "−");
}

export const signed = (v, digits = 2) => (v < 0 ? "− " : "+ ") + fmt(Math.abs(v), digits);
export const inParens = (v, digits = 2) => (v < 0 ? `(${fmt(v, digits)})` : fmt(v, digits));
export const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;

// A number on the page: words for the reader, all digits in data-v for tests and for copying.
export function put(node, v, text = fmt(v)) {
  node.textContent = text;
  node.dataset.v = String(v);
}

// ---- geometry, pure

// The part of a rectangle where w1*x + w2*y + b >= 0, as a list of corners.
export function halfPlane([x0, x1], [y0, y1], w1, w2, b) {
  const z = ([x, y]) => w1 * x + w2 * y + b, out = [];
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % 4], zp = z(p), zq = z(q);
    if (zp >= 0) out.push(p);
    if (zp >= 0 !== zq >= 0) {
      const t = zp / (zp - zq);
      out.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    }
  });
  return out;
}

// The boundary inside the rectangle: two ends, or null when it does not cross.
export function boundary([x0, x1], [y0, y1], w1, w2, b) {
  const ends = [];
  const add = (x, y) => {
    const inside = x >= x0 - 1e-9 && x <= x1 + 1e-9 && y >= y0 - 1e-9 && y <= y1 + 1e-9;
    if (inside && !ends.some((e) => Math.hypot(e[0] - x, e[1] - y) < 1e-9)) ends.push([x, y]);
  };
  if (w2) for (const x of [x0, x1]) add(x, -(w1 * x + b) / w2);
  if (w1) for (const y of [y0, y1]) add(-(w2 * y + b) / w1, y);
  return ends.length > 1 ? ends.slice(0, 2) : null;
}

export function ticks([lo, hi], n) {
  const raw = (hi - lo) / n, p = 10 ** Math.floor(Math.log10(raw));
  const step = p * [1, 2, 5, 10].find((m) => m * p >= raw * 0.999), out = [];
  for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-9; v += step) out.push(+v.toFixed(9));
  return out;
}

// ---- the frame of a figure

// Returns {off, keys}: what to undo at the end, and own key handling. JupyterLab and Notebook 7 act on bare keys in
// a bubbling listener on the document; the capture phase of the window comes first, so ours stay inside the figure.
export function root(el) {
  el.classList.add("nfig-live");
  const handlers = new Map(), off = [];
  const guard = (e) => {
    if (!el.contains(e.target) || e.ctrlKey || e.metaKey || e.altKey || e.key === "Tab" || e.key === "Escape") return;
    e.stopPropagation();
    for (const [node, f] of handlers) if (node.contains(e.target)) f(e);
  };
  addEventListener("keydown", guard, true);
  off.push(() => removeEventListener("keydown", guard, true));
  return { off: () => off.forEach((f) => f()), undo: (f) => off.push(f), keys: (node, f) => handlers.set(node, f) };
}

export const status = (cls = "nfig-say") => h("p", { class: cls, role: "status" });
export const panel = (...kids) => h("div", { class: "nfig-controls" }, ...kids);
export const columns = (...kids) => h("div", { class: "nfig-columns" }, ...kids);
export const button = (text, click, attrs = {}) => h("button", { type: "button", onclick: click, ...attrs }, text);
export const bar = (...kids) => h("div", { class: "nfig-bar" }, ...kids);
export const key = (...items) => h("p", { class: "nfig-key" }, ...items.flatMap(([cls, sign, text]) =>
  [h("span", {}, h("b", { class: cls, "aria-hidden": "true" }, sign), " " + text), " "]));

export function slider({ label, min, max, step, value, show = (v) => fmt(v, 1), on = () => {} }) {
  const id = uid(), out = h("span", { class: "nfig-out" });
  const input = h("input", { type: "range", id, min, max, step, value });
  const words = () => {
    put(out, +input.value, show(+input.value));
    input.setAttribute("aria-valuetext", out.textContent);
  };
  input.addEventListener("input", () => { words(); on(+input.value); });
  words();
  return {
    row: h("div", { class: "nfig-row" }, h("label", { for: id }, label), input, out), input,
    get value() { return +input.value; },
    set(v) { input.value = v; words(); },
  };
}

export function choice({ label, options, value, on }) {
  const id = uid();
  const input = h("select", { id, onchange: () => on(input.value) },
    ...options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
  return { row: h("div", { class: "nfig-row" }, h("label", { for: id }, label), input), input };
}

export function toggle({ label, value = false, on }) {
  const id = uid(), input = h("input", { type: "checkbox", id, onchange: () => on(input.checked) });
  input.checked = value;
  return { row: h("div", { class: "nfig-row nfig-check" }, input, h("label", { for: id }, label)), input };
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)");

// Play, step, reset and a slider over the steps 0..last. Whoever asked for less motion gets no Play button.
export function player(frame, { last, label, on, interval = 1100 }) {
  const still = calm();
  let timer = 0;
  const go = (i) => {
    where.set(Math.max(0, Math.min(last, i)));
    back.disabled = where.value === 0;
    next.disabled = where.value === last;
    on(where.value);
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
  const start = () => {
    if (where.value === last) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => { go(where.value + 1); if (where.value === last) stop(); }, interval);
  };
  const play = button("Play", () => (timer ? stop() : start()));
  const back = button("Back", () => { stop(); go(where.value - 1); });
  const next = button("Next", () => { stop(); go(where.value + 1); });
  const reset = button("Reset", () => { stop(); go(0); });
  const where = slider({ label, min: 0, max: last, step: 1, value: 0, show: (v) => `${v} of ${last}`,
    on: (v) => { stop(); go(v); } });
  const motion = () => { play.hidden = still.matches; if (still.matches) stop(); };
  still.addEventListener("change", motion);
  motion();
  frame.undo(() => { stop(); still.removeEventListener("change", motion); });
  return { node: h("div", { class: "nfig-player" }, bar(play, back, next, reset), where.row), go };
}

// ---- plots: one unit is one CSS pixel, so letters keep their size on a phone

export function plot(frame, { x, y, xlabel, ylabel, label, aspect = 0.62, xticks = 6, yticks = 4, group = false }, paint) {
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
    const digits = (t) => Math.max(...t.map((v) => (String(v).split(".")[1] || "").length));
    const tx = xticks ? ticks(p.x, xticks) : [], ty = ticks(p.y, yticks);
    axes.replaceChildren(s("path", { d: `M0 0V${high}H${w}` }),
      ...tx.map((v) => s("text", { x: p.X(v), y: high + 16, "text-anchor": "middle" }, fmt(v, digits(tx)))),
      ...ty.flatMap((v) => [s("path", { class: "nfig-grid", d: `M0 ${p.Y(v)}H${w}` }),
        s("text", { x: -6, y: p.Y(v) + 4, "text-anchor": "end" }, fmt(v, digits(ty)))]),
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

// Pointer, pen and finger: calls on(x, y) in data units from press to release.
export function drag(p, on) {
  let held = false;
  p.svg.classList.add("nfig-drag");
  p.svg.addEventListener("pointerdown", (e) => {
    held = true;
    p.svg.setPointerCapture(e.pointerId);
    e.preventDefault();
    on(...p.at(e));
  });
  p.svg.addEventListener("pointermove", (e) => { if (held) on(...p.at(e)); });
  for (const t of ["pointerup", "pointercancel"]) p.svg.addEventListener(t, () => { held = false; });
}

// A point that moves by arrow keys, Page Up and Down, Home and End; put node into p.above. on(value) must call set.
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
