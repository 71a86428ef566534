import assert from "node:assert/strict";
import test from "node:test";
import { swept, valued, ways } from "../../../companion/figures/js/backprop_graph.js";

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
