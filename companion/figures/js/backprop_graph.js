// A small graph whose values go forward and whose slopes come back, one operation a step.
import { columns, controls, fact, h, key, panel, put, root, sci, short, status } from "./kit.js";
import { boxes, made } from "./parts/boxes.js";
import { faultOf, graphOf } from "./parts/formula.js";

/** @typedef {[string, string, string[], number, number]} Node  name, operation, parents, column, row */

const DO = { "+": (a, b) => a + b, "−": (a, b) => a - b, "·": (a, b) => a * b, tanh: Math.tanh, relu: (a) => Math.max(0, a), "²": (a) => a * a };
const BACK = { "+": (g) => [g, g], "−": (g) => [g, -g], "·": (g, [a, b]) => [g * b, g * a], tanh: (g, _v, y) => [g * (1 - y * y)],
  relu: (g, _v, y) => [y > 0 ? g : 0], "²": (g, [a]) => [2 * g * a] };

/**
 * The value of each node; a leaf that is not given is a number and named by it.
 * @param {Node[]} graph
 * @param {Record<string, number>} given  the leaves
 */
export function valued(graph, given) {
  /** @type {Record<string, number>} */
  const v = {};
  for (const [name, op, parents] of graph) v[name] = op ? DO[op](...parents.map((p) => v[p])) : given[name] ?? +name.replace("−", "-");
  return v;
}

/**
 * The steps of the sweep: which node passes on, its slope, what each parent gets, and the slopes that have arrived by then.
 * @param {Node[]} graph
 * @param {Record<string, number>} v
 */
export function swept(graph, v) {
  /** @type {Record<string, number>} */
  const slope = { L: 1 };
  return graph.filter(([, op]) => op).reverse().map(([name, op, parents]) => {
    const own = slope[name] ?? 0, passes = BACK[op](own, parents.map((p) => v[p]), v[name]).map((one) => one + 0);
    parents.forEach((p, i) => { slope[p] = (slope[p] ?? 0) + passes[i]; });
    return { name, own, parents, passes, slopes: { ...slope } };
  });
}

/**
 * In how many ways a value reaches the loss.
 * @param {Node[]} graph
 * @param {string} from
 */
export function ways(graph, from) {
  /** @type {Record<string, number>} */
  const count = {};
  for (const [name, op, parents] of graph) count[name] = name === from ? 1 : op ? parents.reduce((sum, p) => sum + count[p], 0) : 0;
  return count.L;
}

const brief = (v) => (Math.abs(v) < 1e5 ? short(+v.toFixed(2)) : sci(v));
const brackets = (v) => (v < 0 ? `(${short(v)})` : short(v));

function render({ model, el }) {
  const frame = root(el), graphs = model.get("graphs"), C = controls(frame, model, { update, check: { own: faultOf } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), line = h("p", { class: "nfig-sum" }), place = h("div");
  const out = { loss: h("dd", { class: "nfig-loss" }), slope: h("dd", { class: "nfig-byw" }), ways: h("dd", { class: "nfig-ways" }) };
  let graph, picture, shown;

  // What a slope is multiplied by on its way through an operation, in words.
  const rule = (op, v, y, [a, b]) => ({ "+": () => "A sum passes its slope on as it is, to both parts.", "−": () => "A difference passes its slope on, to the second part with the sign turned.",
    "·": () => `A product gives each factor the slope times the other: times ${brackets(v[b])} to ${a}, times ${brackets(v[a])} to ${b}.`,
    tanh: () => `The slope of tanh is 1 − ${short(y)}² = ${short(1 - y * y)}.`, relu: () => (y > 0 ? "The unit is on, so ReLU passes the slope on as it is." : "The unit is off, so ReLU passes nothing."),
    "²": () => `The slope of a square is twice its value, 2 · ${brackets(v[a])}.` })[op]();

  function forward(graph, v, k) {
    const ops = graph.filter(([, op]) => op), node = ops[k - 1], all = ops.length;
    if (!node) {
      put(head, 0, "not started");
      line.textContent = "No arithmetic yet.";
      return `Step 0 of ${2 * all}. Given are ${graph.filter(([, op]) => !op).map(([n]) => `${n} = ${short(v[n])}`).join(", ")}.`;
    }
    const [name, op, [a, b]] = node;
    put(head, v[name], `${name} = ${short(v[name])}`);
    line.textContent = `${made(node)} = ${b ? `${short(v[a])} ${op} ${brackets(v[b])}` : op === "²" ? `${brackets(v[a])}²` : `${op} ${brackets(v[a])}`} = ${short(v[name])}`;
    return `Step ${k} of ${2 * all}, forward ${k} of ${all}. ${name} is made from ${a}${b && b !== a ? ` and ${b}` : ""} and is ${short(v[name])}.` +
      (name === "L" ? " That is the loss. Now the way back." : "");
  }

  function backward(graph, v, steps, k) {
    const { name, own, parents, passes } = steps[k - 1], op = graph.find((n) => n[0] === name)[1], all = steps.length;
    put(head, own, `slope of L by ${name}: ${short(own)}`);
    line.textContent = parents.map((p, i) => `${p} gets ${short(passes[i])}`).join(", ");
    const total = parents[0] === parents[1] ? ` Together ${parents[0]} gets ${short(passes[0] + passes[1])}.` : "";
    return `Step ${all + k} of ${2 * all}, back ${k} of ${all}. ${name === "L" ? "The slope of L by itself is 1." : `The slope of L by ${name} is whole: ${short(own)}.`} ` +
      `${rule(op, v, v[name], parents)}${total}${k === all ? ` All slopes are there; that of w is ${out.slope.textContent}.` : ""}`;
  }

  function update(name = "") {
    if (name === "own" && S.graph !== "own") return C.move({ graph: "own" });
    const asked = S.graph === "own" ? S.own : S.graph;
    if (shown !== asked) {
      graph = graphs[S.graph] ?? graphOf(S.own);
      picture = boxes("The graph with the values and slopes known so far", graph);
      place.replaceChildren(picture.svg);
      shown = asked;
    }
    const v = valued(graph, { ...model.get("given"), w: S.w, x: S.x }), steps = swept(graph, v), ops = graph.filter(([, op]) => op);
    C.part("step").limit(2 * ops.length);
    S.step = Math.min(S.step, 2 * ops.length);
    const back = Math.max(0, S.step - ops.length), known = new Set(ops.slice(0, S.step).map(([n]) => n)), done = steps.slice(0, back), inHand = done.at(-1);
    const slopes = inHand?.slopes ?? (S.step === ops.length ? { L: 1 } : {}), final = steps.at(-1).slopes.w ?? 0;
    const waiting = new Set(ops.slice(0, ops.length - back).flatMap(([, , parents]) => parents)); // for an operation that has not passed its slope on
    put(out.loss, v.L, known.has("L") ? short(v.L) : "not yet");
    put(out.slope, final, waiting.has("w") ? "not yet" : short(final));
    put(out.ways, ways(graph, "w"), String(ways(graph, "w")));
    const current = inHand?.name ?? ops[S.step - 1]?.[0];
    picture.draw(graph.map(([name, op]) => ({ left: !op || known.has(name) ? brief(v[name]) : "?", hand: name === current,
      right: name in slopes ? `${brief(slopes[name])}${waiting.has(name) ? " …" : ""}` : "" })),
    graph.map(([name, , parents]) => parents.map((_p, i) => {
      const mine = name === current, text = mine && inHand ? short(inHand.passes[i]) : "";
      return { cls: mine ? "nfig-inhand" : known.has(name) ? "" : "nfig-idle", text, width: mine ? 4 : 2 };
    })));
    say.textContent = back ? backward(graph, v, steps, back) : forward(graph, v, S.step);
  }
  el.append(columns(h("div", {}, place, key(["nfig-ink-a", "0.5", "left: value"], ["nfig-ink-b", "0.5", "right: slope of L by it"], ["", "…", "not whole yet"])),
    panel(C.rows.graph, C.rows.own, head, line, C.rows.w, C.rows.x, h("dl", { class: "nfig-facts" }, fact("loss L", out.loss), fact("slope of L by w", out.slope), fact("ways from w to L", out.ways)))),
  C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
