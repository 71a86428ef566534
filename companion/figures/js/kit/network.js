// Networks as a graph: columns of neurons, wires with weights; a neuron shows a map, an activation and what stands under it.
import { s } from "./dom.js";
import { fmt } from "./numbers.js";

const HALF = 23;

/**
 * The middle of each neuron, column by column.
 * @param {number[]} sizes  neurons in each column
 * @param {number} width
 * @param {number} height
 */
export function places(sizes, width, height) {
  const most = Math.max(...sizes), gap = most > 1 ? (height - 130) / (most - 1) : 0, across = (width - 2 * HALF - 36) / (sizes.length - 1);
  return sizes.map((n, l) => Array.from({ length: n }, (_, i) =>
    [HALF + 18 + l * across, 62 + (height - 130) / 2 + (i - (n - 1) / 2) * gap]));
}

// neurons[l][i] = { text, above, under, on, map }; wires[l][j][i] = { w, text, idle, inHand } leads from neuron i of column l to neuron
// j of the next. pick(l, i) is called when a neuron is chosen by pointer or keyboard; columns before `from` cannot be chosen. `along`
// says how far from its start a wire that crosses others carries its weight.
export function network(frame, { label, sizes, width = 360, height = 270, from = 1, names, pick, along = 0.36 }) {
  const at = places(sizes, width, height), wiring = s("g"), bodies = s("g");
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "nfig-svg nfig-net", role: "group", "aria-label": label }, wiring, bodies);
  const nodes = at.map((column, l) => column.map(([x, y], i) => {
    const chosen = () => pick(l, i), canPick = pick && l >= from;
    const ground = s("g", { "aria-hidden": "true" }), words = s("g", { "aria-hidden": "true" });
    const body = s("g", { class: canPick ? "nfig-neuron nfig-canpick" : "nfig-neuron", transform: `translate(${x - HALF} ${y - HALF})`,
      ...(canPick ? { role: "button", tabindex: 0, "aria-label": names[l][i], onclick: chosen } : {}) },
    s("rect", { width: 2 * HALF, height: 2 * HALF, rx: l ? 8 : HALF, class: "nfig-cell" }), ground,
    s("rect", { width: 2 * HALF, height: 2 * HALF, rx: l ? 8 : HALF, class: "nfig-cellring" }), words);
    if (canPick) frame.keys(body, (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); chosen(); } });
    bodies.append(body);
    return { body, ground, words };
  }));
  function wire([l, j, i], { w, text, idle, inHand }) {
    const [x1, y1] = at[l][i], [x2, y2] = at[l + 1][j], crossing = at[l].length > 1 && at[l + 1].length > 1 && y1 !== y2, t = crossing ? along : 0.5, x = x1 + t * (x2 - x1), y = y1 + t * (y2 - y1);
    return [s("line", { x1: x1 + HALF, y1, x2: x2 - HALF, y2, "stroke-width": 1 + 1.3 * Math.min(4, Math.abs(w)),
      class: `nfig-wire ${w < 0 ? "nfig-minus" : "nfig-plus"} ${idle ? "nfig-idle" : ""} ${inHand ? "nfig-inhand" : ""}` }),
    s("text", { x, y: y - 5, class: `nfig-onwire ${w < 0 ? "nfig-ink-b" : "nfig-ink-a"}` }, text ?? fmt(w, 1))];
  }
  return { svg, draw(neurons, wires, picked) {
    wiring.replaceChildren(...wires.flatMap((layer, l) => layer.flatMap((row, j) => row.flatMap((one, i) => wire([l, j, i], one)))));
    neurons.forEach((column, l) => column.forEach((n, i) => {
      const { body, ground, words } = nodes[l][i], here = picked && picked[0] === l && picked[1] === i;
      body.classList.toggle("nfig-picked", Boolean(here));
      if (body.hasAttribute("role")) {
        body.setAttribute("aria-pressed", String(Boolean(here)));
        body.setAttribute("aria-label", `${names[l][i]}: ${[n.above, n.under, n.text].filter(Boolean).join(", ")}`);
      }
      if (n.map && ground.firstChild !== n.map.node) ground.replaceChildren(n.map.node);
      words.replaceChildren(s("text", { x: HALF, y: HALF + 6, class: `nfig-act ${n.map ? "nfig-onmap" : ""}` }, n.text ?? ""),
        s("text", { x: HALF, y: -8, class: "nfig-under" }, n.above ?? ""),
        s("text", { x: HALF, y: 2 * HALF + 16, class: "nfig-under" }, n.under ?? ""));
    }));
  }, half: HALF };
}
