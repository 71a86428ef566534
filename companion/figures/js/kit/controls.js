// All controls of a figure from their description in the state (see figures/controls.py): built, put back, shared by the address.
import { h } from "./dom.js";
import { bar, button, choice, player, slider, status, text, toggle } from "./parts.js";

/**
 * @typedef {{ name: string, label: string, kind: string, value: any, min?: number, max?: number, step?: number,
 *   last?: number, interval?: number, options?: [string, string][], longest?: number, hint?: string, check?: (text: string) => string }} Spec
 */

/**
 * The value of a control as an address writes it; undefined where the control cannot have it.
 * @param {Spec} spec
 * @param {string} text
 */
export function accepted(spec, text) {
  if (spec.kind === "toggle") return { 0: false, 1: true }[text];
  if (spec.kind === "choice") return spec.options.some(([v]) => v === text) ? text : undefined;
  if (spec.kind === "text") return text.length > spec.longest || spec.check?.(text) ? undefined : text;
  const v = Number(text);
  return text.trim() === "" || !Number.isFinite(v) || v < (spec.min ?? 0) || v > (spec.max ?? spec.last) ? undefined : snapped(spec, v);
}

/**
 * The nearest value that a slider can have.
 * @param {{ min?: number, max?: number, last?: number, step?: number }} spec
 * @param {number} v
 */
export function snapped({ min = 0, max, last, step = 1 }, v) {
  const high = max ?? last, inside = Math.max(min, Math.min(high, v));
  return +Math.min(high, min + Math.round((inside - min) / step) * step).toFixed(9);
}

/**
 * The address that opens this page with a figure as it stands now.
 * @param {string} page  the address of the page
 * @param {string} figure  its name on the page
 * @param {Record<string, any>} values
 */
export function shareLink(page, figure, values) {
  const url = new URL(page), query = new URLSearchParams({ figure });
  for (const [name, v] of Object.entries(values)) query.set(name, String(typeof v === "boolean" ? +v : v));
  url.search = query.toString();
  url.hash = `figure-${figure}`;
  return url.href;
}

/**
 * What an address asks of a figure: its name and the values of its controls; null where it asks for none.
 * @param {string} search
 */
export function linked(search) {
  const query = new URLSearchParams(search), figure = query.get("figure");
  query.delete("figure");
  return figure ? { figure, values: Object.fromEntries(query) } : null;
}

/**
 * Which of the asked values are taken, and a sentence for those that are not.
 * @param {Spec[]} specs
 * @param {Record<string, string>} asked
 */
export function taken(specs, asked) {
  const values = {}, left = [];
  for (const [name, text] of Object.entries(asked)) {
    const spec = specs.find((one) => one.name === name), v = spec && accepted(spec, text);
    if (v === undefined) left.push(spec ? `${spec.label} = ${text}` : `${name}, which this figure does not have`);
    else values[name] = v;
  }
  const note = left.length ? `The link asks for what this figure cannot show, so it was left out: ${left.join("; ").slice(0, 200)}.` : "";
  return { values, note };
}

const MAKERS = { slider, choice, text, toggle };

// S holds the values, rows the nodes, foot Reset and Share. update(name) is called after every change. show[name] writes a slider's value, check[name] says what is wrong with a text.
export function controls(frame, model, { update, show = {}, check = {} }) {
  const specs = model.get("controls").map((spec) => ({ ...spec, check: check[spec.name] })), link = taken(specs, model.get("linked") || {}), figure = model.get("figure");
  const S = {}, rows = {}, parts = {};
  for (const spec of specs) {
    const value = link.values[spec.name] ?? spec.value, on = (v) => { S[spec.name] = v; update(spec.name); };
    const digits = (String(spec.step).split(".")[1] || "").length;
    const words = show[spec.name] ? { show: show[spec.name] } : spec.kind === "slider" ? { digits } : {};
    parts[spec.name] = spec.kind === "steps" ? player(frame, { ...spec, ...words, value, on }) : MAKERS[spec.kind]({ ...spec, ...words, value, on });
    rows[spec.name] = parts[spec.name].row;
    S[spec.name] = value;
  }
  const set = (name, v) => { parts[name].set(v); S[name] = v; };
  const note = status("nfig-note"), where = h("input", { type: "text", readonly: true, "aria-label": "Address of this state", hidden: true });
  note.textContent = link.note;
  const reset = button("Reset", () => {
    for (const spec of specs) set(spec.name, spec.value);
    note.textContent = where.value = "";
    where.hidden = true;
    update("");
  });
  const share = button("Share this state", async () => {
    where.value = shareLink(location.href, figure, S);
    try {
      await navigator.clipboard.writeText(where.value);
      note.textContent = "The address of this state is in the clipboard: it opens this page with these settings.";
    } catch {
      where.hidden = false;
      where.select();
      note.textContent = "Copy this address: it opens this page with these settings.";
    }
  });
  share.hidden = !figure;
  const of = (name) => specs.find((one) => one.name === name);
  // move and change set controls as a hand would, to the nearest values they can have: several at once, or one.
  const move = (values, name = "") => {
    for (const [k, v] of Object.entries(values)) set(k, typeof v === "number" ? snapped(of(k), v) : v);
    update(name);
  };
  const change = (name, v) => move({ [name]: v }, name);
  return { S, rows, move, change, part: (name) => parts[name], spec: of, label: (name) => of(name).options.find(([v]) => v === S[name])[1],
    foot: h("div", { class: "nfig-foot" }, bar(reset, share), where, note) };
}
