import assert from "node:assert/strict";
import test from "node:test";
import { lowest, smoothed, stop, unpacked } from "../../../companion/figures/js/early_stop.js";

const curve = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71, 0.6];

test("stop by hand: after so many looks in a row without a new best", () => {
  assert.deepEqual(stop(curve, 3), { at: 6, best: 3 });
  assert.deepEqual(stop(curve, 1), { at: 2, best: 1 });
  assert.deepEqual(stop(curve, 2), { at: 5, best: 3 });
});

test("a training that never waits so long runs to its end", () => {
  assert.deepEqual(stop(curve, 4), { at: 7, best: 7 });
  assert.deepEqual(stop([3, 2, 1], 1), { at: 2, best: 2 });
  assert.deepEqual(stop([5], 1), { at: 0, best: 0 });
});

test("a gain that is too small is none: the best stays where it was, and the waiting goes on", () => {
  assert.deepEqual(stop([10, 8, 7, 6, 5], 3, 2), { at: 4, best: 2 });
  assert.deepEqual(stop([10, 9, 8, 7], 3, 3), { at: 3, best: 0 });
  assert.deepEqual(stop([10, 8], 1, 2), { at: 1, best: 0 }, "exactly the gain is not more than it");
});

test("equal is not better", () => {
  assert.deepEqual(stop([2, 2, 2], 2), { at: 2, best: 0 });
  assert.equal(lowest([3, 1, 2, 1]), 1);
});

test("mean of the last looks, of fewer at the beginning", () => {
  assert.deepEqual(smoothed([4, 2, 9, 1], 1), [4, 2, 9, 1]);
  assert.deepEqual(smoothed([4, 2, 9, 1], 3), [4, 3, 5, 4]);
  assert.deepEqual(smoothed([4, 2], 9), [4, 3]);
});

test("a record is unpacked into whole thousandths", () => {
  assert.deepEqual(unpacked("2115 1808 93"), [2115, 1808, 93]);
});
