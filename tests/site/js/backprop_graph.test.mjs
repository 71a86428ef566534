import assert from "node:assert/strict";
import test from "node:test";
import { swept, valued, ways } from "../../../companion/figures/js/backprop_graph.js";
import { faultOf, graphOf, parsed } from "../../../companion/figures/js/parts/formula.js";

/** @type {[string, string, string[], number, number][]} */
const doubled = [["w", "", [], 0, 0], ["x", "", [], 0, 0], ["a", "+", ["w", "w"], 0, 0], ["d", "·", ["a", "x"], 0, 0], ["h", "relu", ["d"], 0, 0],
  ["e", "−", ["h", "x"], 0, 0], ["L", "²", ["e"], 0, 0]];

test("values in the order of computing", () => {
  assert.deepEqual(valued(doubled, { w: 3, x: 2 }), { w: 3, x: 2, a: 6, d: 12, h: 12, e: 10, L: 100 });
});

test("the sweep goes back, hands on whole slopes, and adds where ways meet", () => {
  const steps = swept(doubled, valued(doubled, { w: 3, x: 2 }));
  assert.deepEqual(steps.map(({ name, own }) => [name, own]), [["L", 1], ["e", 20], ["h", 20], ["d", 20], ["a", 40]]);
  assert.deepEqual(steps.at(-1).passes, [40, 40]);
  assert.deepEqual(steps[1].passes, [20, -20]);
});

test("a unit that is off passes nothing, and its zero has no sign", () => {
  const steps = swept(doubled, valued(doubled, { w: -3, x: 2 }));
  assert.ok(Object.is(steps.find(({ name }) => name === "h").passes[0], 0));
});

test("ways are multiplied by every meeting", () => {
  assert.deepEqual([ways(doubled, "w"), ways(doubled, "x"), ways(doubled, "L")], [2, 2, 1]);
});

test("a formula becomes nodes in the order of computing; the whole is y", () => {
  assert.deepEqual(parsed("tanh(w x + b)"), { whole: "y", nodes: [["w", "", []], ["x", "", []], ["u", "·", ["w", "x"]], ["b", "", []], ["v", "+", ["u", "b"]], ["y", "tanh", ["v"]]] });
  assert.deepEqual(parsed(" .50 "), { whole: "0.5", nodes: [["0.5", "", []]] });
});

test("what stands there twice is computed once, factors and summands in either order", () => {
  assert.equal(parsed("relu(w·x) + x·w").nodes.length, 5);
  assert.equal(parsed("(w − x) + (x − w)").nodes.length, 5);
});

test("signs: of a number, of a square, twice", () => {
  assert.deepEqual(parsed("-2w").nodes, [["−2", "", []], ["w", "", []], ["y", "·", ["−2", "w"]]]);
  assert.deepEqual(parsed("−w²").nodes.map(([name]) => name), ["w", "u", "−1", "y"]);
  assert.deepEqual(parsed("--2").nodes, [["2", "", []]]);
  assert.equal(valued(graphOf("-2w"), { w: 3, t: 1 }).y, -6);
});

const FAULTS = {
  "": "Write a formula for y", "  ": "Write a formula", "w /2": "Division", "w^3": "The only power here is the square", "w**3": "The only power", "w^25": "The only power",
  "sigmoid(w)": "“sigmoid” is not known here. Known are w, x, b", "w $ x": "“$” is not known", "u": "“u” is not known", "é": "“é” is not known",
  "tanh w": "tanh needs brackets: tanh(w · x)", relu: "relu needs brackets", "w +": "Something is missing at the end", "(w + x": "A bracket is not closed",
  "w)": "closes that was never opened", ")": "closes that was never opened, or there is nothing inside", "tanh()": "nothing inside", "* w": "Before “*” something is missing",
  "w + + x": "Before “+”", "²": "Before “²”", "99": "99 is too large", "w+x+1+2+3+4+5+6+7+8": "This formula has 9 operations, and the figure has room for 8",
};

for (const [text, told] of Object.entries(FAULTS)) {
  test(`what is wrong with “${text}” is told`, () => assert.ok(faultOf(text).includes(told), faultOf(text)));
}

const DRAWN = ["w", "x", "tanh(w·x) + relu(x − w)", "relu(w·x) + w·x", "((w²)² − 2x)²", "(w w + x x)(w x + b b)", "tanh(w)+tanh(x)+tanh(b)+1", "tanh(tanh(tanh(tanh(tanh(tanh(tanh(tanh(w))))))))",
  "w·w·w·w·w·w·w·w·w", "1+2+3+4+5+6+7+8+9", "(1+w)(2+x)(3+b)"];

for (const text of DRAWN) {
  test(`the graph of ${text} has a place for each box and goes down`, () => {
    const graph = graphOf(text), row = Object.fromEntries(graph.map((n) => [n[0], n[4]]));
    assert.deepEqual(graph.map(([name]) => name).slice(-3), ["t", "e", "L"]);
    for (const [name, , parents, column, r] of graph) {
      assert.ok(Number.isInteger(r) && r >= 0 && column >= 0 && column <= 2.3, `${name} at ${column}, ${r}`);
      for (const p of parents) assert.ok(row[p] < r, `${p} stands above ${name}`);
      for (const other of graph) assert.ok(other[0] === name || other[4] !== r || Math.abs(other[3] - column) > 1, `${name} and ${other[0]} touch`);
    }
    assert.equal(Math.min(...Object.values(row)), 0);
  });
}
