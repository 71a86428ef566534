// A formula that a reader types, as a graph: parsed, each operation a node, and every node given a place.

/** @typedef {[string, string, string[]]} Made  a node: its name, the operation ("" for what is given) and what it is made from */

const MOST = 8, LARGEST = 10;
const KNOWN = "Known are w, x, b, numbers, + − ·, ², tanh( ) and relu( ).";
const INNER = ["u", "v", "s", "h", "p", "q", "r"]; // names for what lies between; the whole is y
const PART = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|(tanh|relu)|([wxb])|((?:\*\*|\^)\s*2(?![\d.])|²)|([-+−])|([*·×](?!\*))|([()]))/y;
const KINDS = ["number", "function", "name", "square", "sign", "times", "bracket"];

class Fault extends Error {}
const fail = (sentence) => { throw new Fault(sentence); };

// What has no meaning here, and what to write in its place.
function unknown(text) {
  if (/^\s*\//.test(text)) fail("Division is not among the operations here: for half of w write 0.5 · w.");
  if (/^\s*(\*\*|\^)/.test(text)) fail("The only power here is the square: for a third power write w · w · w.");
  fail(`“${/^\s*([a-z]+|\S)/iu.exec(text)[1]}” is not known here. ${KNOWN}`);
}

function tokens(text) {
  const found = [];
  for (let at = 0; text.slice(at).trim();) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (!match) unknown(text.slice(at));
    const i = KINDS.findIndex((_, k) => match[k + 1] !== undefined);
    found.push({ kind: KINDS[i], text: match[i + 1] });
    at = PART.lastIndex;
  }
  return found;
}

/**
 * The nodes of a formula in the order of computing, and the name of the one that holds its value. What is written twice is computed once.
 * @param {string} text
 * @returns {{ nodes: Made[], whole: string }}
 */
export function parsed(text) {
  const left = tokens(text), nodes = new Map();
  let operations = 0;
  const given = (name) => (nodes.has(name) || nodes.set(name, [name, "", []]), name);
  const made = (op, ...parents) => {
    const same = `${op} ${("+·".includes(op) ? [...parents].sort() : parents).join(" ")}`;
    if (!nodes.has(same)) nodes.set(same, [`#${operations++}`, op, parents]);
    return nodes.get(same)[0];
  };
  const next = (kind, ...texts) => left[0]?.kind === kind && (!texts.length || texts.includes(left[0].text));
  const negated = (part) => (/^[\d.]/.test(part) ? given(`−${part}`) : part[0] === "−" ? given(part.slice(1)) : made("·", given("−1"), part));

  function atom() {
    const token = left.shift() ?? fail("Something is missing at the end of the formula.");
    if (token.kind === "name") return given(token.text);
    if (token.kind === "number") return given(+token.text > LARGEST ? fail(`${token.text} is too large for the figure: numbers up to ${LARGEST} fit.`) : String(+token.text));
    if (token.kind === "function" && !next("bracket", "(")) fail(`${token.text} needs brackets: ${token.text}(w · x).`);
    if (token.kind === "function") return made(token.text, atom());
    if (token.text !== "(") fail(token.text === ")" ? "A bracket closes that was never opened, or there is nothing inside of it." : `Before “${token.text}” something is missing.`);
    const inside = sum();
    if (!next("bracket", ")")) fail("A bracket is not closed.");
    left.shift();
    return inside;
  }
  function power() {
    let base = atom();
    for (; next("square"); left.shift()) base = made("²", base);
    return base;
  }
  function factor() {
    if (!next("sign", "-", "−")) return power();
    left.shift();
    return negated(factor());
  }
  function product() { // a sign between two factors is not needed: wx is w · x
    let value = factor();
    while (next("times") || ["name", "number", "function"].some((kind) => next(kind)) || next("bracket", "(")) {
      if (next("times")) left.shift();
      value = made("·", value, factor());
    }
    return value;
  }
  function sum() {
    let value = product();
    while (next("sign")) value = made(left.shift().text === "+" ? "+" : "−", value, product());
    return value;
  }
  if (!left.length) fail(`Write a formula for y. ${KNOWN}`);
  const whole = sum();
  if (left.length) fail("A bracket closes that was never opened.");
  if (operations > MOST) fail(`This formula has ${operations} operations, and the figure has room for ${MOST}.`);
  const last = `#${operations - 1}`, named = (name) => (name[0] === "#" ? (name === last ? "y" : INNER[+name.slice(1)]) : name);
  const used = [...nodes.values()].filter(([name]) => name === whole || [...nodes.values()].some(([, , parents]) => parents.includes(name))); // not the 2 of −2
  return { nodes: used.map(([name, op, parents]) => [named(name), op, parents.map(named)]), whole: named(whole) };
}

/**
 * What is wrong with a formula, in a sentence, or nothing.
 * @param {string} text
 */
export function faultOf(text) {
  try {
    parsed(text);
    return "";
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/**
 * The graph of a formula with the error against t and its square behind it.
 * @param {string} text
 */
export function graphOf(text) {
  const { nodes, whole } = parsed(text);
  return placed([...nodes, ["t", "", []], ["e", "−", [whole, "t"]], ["L", "²", ["e"]]]);
}

const APART = 1.15, SLOTS = [0, 1, 2, 3, 4].map((k) => (k * APART) / 2), BESIDE = 3, HALF = 0.36;

// All ways to seat n boxes in one row, at least one width apart.
function seats(n) {
  if (!n) return [[]];
  return seats(n - 1).flatMap((taken) => SLOTS.filter((c) => taken.every((one) => Math.abs(one - c) > APART - 1e-6)).map((c) => [...taken, c]));
}

// The row of each node: below all that it is made from, at most three side by side; what is given stands right above its first use.
function rows(nodes) {
  const row = {}, full = {}, op = (name) => nodes.find((n) => n[0] === name)[1];
  const take = (name, from, step) => {
    while (full[from] >= BESIDE) from += step;
    row[name] = from;
    full[from] = (full[from] ?? 0) + 1;
  };
  for (const [name, does, parents] of nodes) if (does) take(name, Math.max(0, ...parents.map((p) => (op(p) ? row[p] : 0))) + 1, 1);
  for (const [name, does] of nodes) if (!does) take(name, Math.min(...nodes.filter((n) => n[2].includes(name)).map((n) => row[n[0]])) - 1, -1);
  const top = Math.min(...Object.values(row));
  return Object.fromEntries(nodes.map(([name]) => [name, row[name] - top]));
}

/**
 * Nodes with a column and a row each: few lines that cross, none behind a box where it can be helped, short ones before long ones.
 * @param {Made[]} nodes
 * @returns {[string, string, string[], number, number][]}
 */
export function placed(nodes) {
  const row = rows(nodes), names = nodes.map(([name]) => name), lines = nodes.flatMap(([name, , parents]) => [...new Set(parents)].map((p) => [p, name]));
  const levels = Array.from({ length: 1 + Math.max(...Object.values(row)) }, (_, r) => names.filter((name) => row[name] === r));
  const column = Object.fromEntries(levels.flatMap((level) => level.map((name, k) => [name, level.length === 1 ? APART : k * APART])));
  /** @type {(a: number[], b: number[], c: number[]) => number} */
  const turn = ([ax, ay], [bx, by], [cx, cy]) => Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  const cost = () => {
    const drawn = lines.map(([a, b]) => [[column[a], row[a] + HALF], [column[b], row[b] - HALF]]);
    let sum = 0;
    drawn.forEach(([p, q], i) => {
      sum += (q[0] - p[0]) ** 2;
      for (const name of names) {
        const far = (row[name] - p[1]) / (q[1] - p[1]);
        if (far > 0 && far < 1 && !lines[i].includes(name) && Math.abs(p[0] + far * (q[0] - p[0]) - column[name]) < 0.6) sum += 12;
      }
      for (const [r, t] of drawn.slice(0, i)) if (turn(p, q, r) * turn(p, q, t) < 0 && turn(r, t, p) * turn(r, t, q) < 0) sum += 4;
    });
    return sum;
  };
  for (let pass = 0; pass < 4; pass++) {
    for (const level of levels) {
      let best = level.map((name) => column[name]), least = cost();
      for (const seating of seats(level.length)) {
        level.forEach((name, k) => { column[name] = seating[k]; });
        const now = cost();
        if (now < least - 1e-9) [best, least] = [seating, now];
      }
      level.forEach((name, k) => { column[name] = best[k]; });
    }
  }
  return nodes.map(([name, op, parents]) => [name, op, parents, column[name], row[name]]);
}
