import assert from "node:assert/strict";
import test from "node:test";
import { batches, distance, middle, predicted, slopes } from "../../../companion/figures/js/batch_noise.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const four = [[2, 0], [0, 2], [-2, 0], [0, -2]];

test("slopes of a squared error by hand", () => {
  assert.deepEqual(slopes([[1, 2, 3], [0, 1, -1]], [0, 0]), [[-6, -12], [0, 2]]);
  assert.deepEqual(slopes([[1, 2, 3]], [1, 1]), [[0, 0]]);
});

test("middle and distance by hand", () => {
  assert.deepEqual(middle([[1, 4], [3, 0]]), [2, 2]);
  near(distance([[3, 4], [0, 0]], [0, 0]), Math.sqrt(12.5));
});

test("the prediction is what all pairs give: without replacement, and with it", () => {
  const pairs = four.flatMap((a, i) => four.map((b, j) => [i, j, middle([a, b])])), mean = (list) => distance(list.map(([, , m]) => m), [0, 0]);
  near(predicted(four, 2, false), mean(pairs.filter(([i, j]) => i < j)));
  near(predicted(four, 2, true), mean(pairs));
  near(predicted(four, 1, false), 2);
  assert.equal(predicted(four, 4, false), 0);
});

test("batches: each example at most once, or again and again; the same seed gives the same ones", () => {
  for (const one of batches(four, 4, 20, 3, false)) assert.deepEqual(one.map((v) => v || 0), [0, 0], "all four, in any order");
  assert.ok(batches(four, 4, 20, 3, true).some(([a, b]) => a || b));
  assert.deepEqual(batches(four, 2, 20, 3, false), batches(four, 2, 20, 3, false));
  assert.notDeepEqual(batches(four, 2, 20, 3, false), batches(four, 2, 20, 4, false));
  near(distance(batches(four, 2, 20000, 1, false), [0, 0]), predicted(four, 2, false), 0.02);
  near(distance(batches(four, 2, 20000, 1, true), [0, 0]), predicted(four, 2, true), 0.02);
});
