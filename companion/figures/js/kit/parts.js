// Single controls and the little boxes around them.
import { uid, h } from "./dom.js";
import { fmt, put } from "./numbers.js";

export const status = (cls = "nfig-say") => h("p", { class: cls, role: "status" });
export const panel = (...kids) => h("div", { class: "nfig-controls" }, ...kids);
export const columns = (...kids) => h("div", { class: "nfig-columns" }, ...kids);
// One line of a list of facts: a name, and the node that holds its number.
export const fact = (term, node) => h("div", {}, h("dt", {}, term), node);
export const button = (text, click, attrs = {}) => h("button", { type: "button", onclick: click, ...attrs }, text);
export const bar = (...kids) => h("div", { class: "nfig-bar" }, ...kids);
export const key = (...items) => h("p", { class: "nfig-key" }, ...items.flatMap(([cls, sign, text]) =>
  [h("span", {}, h("b", { class: cls, "aria-hidden": "true" }, sign), " " + text), " "]));

export function slider({ label, min, max, step, value, digits = 1, show = (v) => fmt(v, digits), on = (_v) => {} }) {
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
  return { row: h("div", { class: "nfig-row" }, h("label", { for: id }, label), input), input, set(v) { input.value = v; } };
}

// A line of text; "on" gets it when "check" finds no fault, and the fault is told once the line is left.
export function text({ label, value, hint = "", longest, check = (_text) => "", on }) {
  const id = uid(), told = uid(), note = h("small", { id: told, role: "status" }, hint);
  const input = h("input", { type: "text", id, value, maxlength: longest, spellcheck: "false", autocomplete: "off", autocapitalize: "none", "aria-describedby": told });
  const judged = (left) => {
    const fault = check(input.value);
    if (left || !fault) {
      note.textContent = fault || hint;
      input.toggleAttribute("aria-invalid", Boolean(fault));
    }
    return !fault;
  };
  input.addEventListener("input", () => { if (judged(false)) on(input.value); });
  input.addEventListener("change", () => { if (judged(true)) on(input.value); });
  return { row: h("div", { class: "nfig-row nfig-text" }, h("label", { for: id }, label), input, note), input, set(v) { input.value = v; judged(true); } };
}

export function toggle({ label, value = false, on }) {
  const id = uid(), input = h("input", { type: "checkbox", id, onchange: () => on(input.checked) });
  input.checked = value;
  return { row: h("div", { class: "nfig-row nfig-check" }, input, h("label", { for: id }, label)), input, set(v) { input.checked = v; } };
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)");

// Play, back, next and a slider over the steps 0..last. Whoever asked for less motion gets no Play button.
export function player(frame, { last, label, value = 0, on, interval = 1100 }) {
  const still = calm(), most = last;
  let timer = 0;
  const show = (i) => {
    where.set(Math.max(0, Math.min(last, i)));
    back.disabled = where.value === 0;
    next.disabled = where.value === last;
  };
  const go = (i) => { show(i); on(where.value); };
  // Another number of steps; the place stays where it can.
  const limit = (n) => { last = n; where.input.max = n; show(where.value); };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
  const start = () => {
    if (where.value === last) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => { go(where.value + 1); if (where.value === last) stop(); }, interval);
  };
  const play = button("Play", () => (timer ? stop() : start()));
  const back = button("Back", () => { stop(); go(where.value - 1); });
  const next = button("Next", () => { stop(); go(where.value + 1); });
  const where = slider({ label, min: 0, max: last, step: 1, value, show: (v) => `${v} of ${last}`,
    on: (v) => { stop(); go(v); } });
  const motion = () => { play.hidden = still.matches; if (still.matches) stop(); };
  still.addEventListener("change", motion);
  motion();
  show(value);
  frame.undo(() => { stop(); still.removeEventListener("change", motion); });
  return { row: h("div", { class: "nfig-player" }, bar(play, back, next), where.row), input: where.input,
    set(v) { stop(); limit(most); show(v); }, limit };
}
