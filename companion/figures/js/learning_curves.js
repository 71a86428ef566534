// Ten real trainings by their curves, and what can be said of them: the reader's diagnosis is answered.
import { button, columns, controls, fmt, h, key, panel, path, plot, put, root, s, status } from "./kit.js";

/** @typedef {{ right: string, curves: string[], after: number[], sign: string, why: string }} Patient */
/** @typedef {Record<string, string[]>} Illnesses  label, look, and two sketches by their letter */

const UNITS = [1000, 100, 1000, 100];

/**
 * Loss and accuracy on the training set, then on the validation set, by epoch.
 * @param {string[]} curves
 */
export const unpacked = (curves) => curves.map((text, i) => text.split(" ").map((v) => +v / UNITS[i]));

/**
 * The sheet with a diagnosis of patient k, from 1; the first one stays.
 * @param {string} sheet
 * @param {number} k
 * @param {string} letter
 */
export const noted = (sheet, k, letter) => (letter === "none" || sheet[k - 1] !== "-" ? sheet : sheet.slice(0, k - 1) + letter + sheet.slice(k));

/**
 * How many of the first diagnoses are right, and how many there are.
 * @param {string} sheet
 * @param {Patient[]} patients
 */
export const score = (sheet, patients) => [patients.filter((p, i) => sheet[i] === p.right).length, [...sheet].filter((v) => v !== "-").length];

/**
 * What is answered to a diagnosis.
 * @param {Patient} patient
 * @param {string} letter
 * @param {Illnesses} illnesses
 */
export function verdict({ right, sign, why }, letter, illnesses) {
  if (letter === "none") return "What is wrong here, if anything?";
  const [label, look] = illnesses[letter];
  return letter === right ? `Yes, ${label}: ${sign}. ${why}` : `No, not “${label}”. That would look otherwise: ${look}. Here ${sign}.`;
}

const heights = (text) => [...text].map((v, i) => [i / (text.length - 1), +v]);

function render({ model, el }) {
  const frame = root(el), [patients, illnesses] = ["patients", "illnesses"].map((k) => model.get(k)), all = patients.map((p) => unpacked(p.curves)), N = patients.length;
  const C = controls(frame, model, { update, show: { patient: (v) => `${v} of ${N}` }, check: { sheet: (text) => (/^[-a-l]{10}$/.test(text) ? "" : "Ten signs: a letter from a to l, or a hyphen.") } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), row = h("div", { class: "nfig-bar", style: "gap:0 .6rem" }), shown = h("span", { class: "nfig-shown", hidden: true });
  C.rows.sheet.hidden = true;
  say.style.minHeight = "6em"; // so that nothing below moves with the length of an answer
  C.rows.diagnosis.classList.add("nfig-text"); // its words get a line of their own
  let /** @type {any} */ at = {};

  const chart = plot(frame, { x: [0, 42], y: [0, 1], aspect: 0.72, xticks: [0, 10, 20, 30, 40].map((v) => [v, `${v}`]), yticks: 4, xlabel: "epoch", ylabel: "", label: "" }, (p) => {
    const Y = at.scale, end = S.epochs;
    at.pair.forEach((curve, i) => {
      const points = curve.map((v, k) => [k, Y(v)]), cls = ["nfig-curve-a", "nfig-curve-b nfig-dashed"][i], [x, y] = points[end];
      p.area.append(path(p, points, cls), s("circle", { cx: p.X(x), cy: p.Y(y), r: 4, class: `nfig-dot-${"ab"[i]}` }));
      if (at.cured) p.area.append(s("circle", { cx: p.X(40.9), cy: p.Y(Y(at.cured[i])), r: 6, class: `nfig-curve-${"ab"[i]}` }));
    });
  });
  const sketch = plot(frame, { x: [0, 1], y: [-0.5, 9.5], aspect: 0.26, xticks: [], yticks: [], xlabel: "epoch", ylabel: "", label: "How the loss usually looks with this diagnosis, a sketch" }, (p) => {
    const one = illnesses[S.diagnosis];
    if (one) p.area.append(path(p, heights(one[2]), "nfig-curve-a"), path(p, heights(one[3]), "nfig-curve-b nfig-dashed"));
    else p.area.append(s("text", { x: p.w / 2, y: p.high / 2, "text-anchor": "middle" }, "choose a diagnosis"));
  });

  const write = (name, v) => { C.part(name).set(v); S[name] = v; };
  function update(name) {
    const k = S.patient, patient = patients[k - 1], late = S.measure === "loss" ? 0 : 1, log = !late && S.log, whole = [all[k - 1][late], all[k - 1][2 + late]];
    if (name === "patient" || name === "sheet") write("diagnosis", S.sheet[k - 1] === "-" ? "none" : S.sheet[k - 1]);
    if (name === "diagnosis") write("sheet", noted(S.sheet, k, S.diagnosis));
    const found = S.diagnosis === patient.right, pair = whole.map((curve) => curve.slice(0, S.epochs + 1)), now = pair.map((curve) => curve[S.epochs]), cured = found && [0, 2].map((i) => patient.after[i + late] / UNITS[late]);
    const scale = (v) => (log ? Math.log10(Math.max(v, 0.0005)) : v), values = [...pair.flat(), ...(cured || [])].map(scale), [right, given] = score(S.sheet, patients);
    at = { pair, scale, cured };
    C.part("log").input.disabled = Boolean(late);
    put(head, right, given ? `${right} of ${given} right at first` : "no diagnosis yet");
    row.replaceChildren(...patients.map((p, i) => h("span", {}, `${i + 1} ${S.sheet[i] === "-" ? "–" : S.sheet[i] === p.right ? "✓" : "✗"}`)));
    put(shown, pair.flat().join(" "), "");
    const two = (v) => fmt(v, late ? 2 : 3);
    say.textContent = `Patient ${k}, ${S.measure}${log ? " on a logarithmic scale" : ""}, epoch ${S.epochs}: training ${two(now[0])}, validation ${two(now[1])}. ${verdict(patient, S.diagnosis, illnesses)}` +
      (found && cured ? ` (Rings: ${S.measure} after that.)` : "");
    chart.svg.setAttribute("aria-label", `${S.measure} of patient ${k}, training and validation: ${[0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * S.epochs)).filter((e, i, list) => !i || e > list[i - 1]).map((e) => `epoch ${e} ${two(pair[0][e])} and ${two(pair[1][e])}`).join(", ")}`);
    const top = Math.max(...values), low = log ? Math.min(...values) : 0, room = 0.06 * (top - low) + 0.02;
    chart.y = late ? [0, 1.04] : [low - (log ? room : 0.03 * top), top + room];
    chart.ylabel = late ? "accuracy" : log ? "loss, power of ten" : "loss";
    sketch.ylabel = S.diagnosis === "none" ? "sketch" : `sketch: ${C.label("diagnosis")}`;
    chart.draw();
    sketch.draw();
  }
  const next = button("Next patient", () => C.change("patient", S.patient % N + 1));
  el.append(columns(h("div", { style: "max-width:27rem;width:100%;margin:auto" }, chart.node, key(["nfig-ink-a", "━", "training"], ["nfig-ink-b", "╍", "validation"], ["", "○", "after the test or cure"]), head, row, shown),
    panel(C.rows.patient, next, C.rows.measure, C.rows.log, C.rows.diagnosis, h("div", { style: "max-width:20rem" }, sketch.node))), C.rows.epochs, say, C.rows.sheet, C.foot);
  update("");
  return frame.off;
}
export default { render };
