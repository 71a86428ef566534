import assert from "node:assert/strict";
import test from "node:test";
import { flat, folded, gap, piecesOf, reach } from "../../../companion/figures/js/folded_paper.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);

test("a tent, folded again and again", () => {
  assert.deepEqual([0, 0.25, 0.5, 0.75, 1].map((x) => folded(x, 1)), [0, 0.5, 1, 0.5, 0]);
  assert.deepEqual([0, 0.25, 0.5, 0.75, 1].map((x) => folded(x, 2)), [0, 1, 0, 1, 0]);
  assert.equal(folded(0.3, 0), 0.3);
});

test("the straight pieces are counted where the slope changes", () => {
  for (let depth = 1; depth <= 8; depth++) {
    const n = 2 ** (depth + 2), y = Array.from({ length: n + 1 }, (_, k) => folded(k / n, depth));
    let pieces = 1;
    for (let k = 1; k < n; k++) pieces += +(Math.abs(y[k + 1] - 2 * y[k] + y[k - 1]) > 1e-9);
    assert.equal(pieces, piecesOf(depth));
  }
});

test("one layer spends a unit on each piece of its line", () => {
  for (const [depth, units] of [[4, 2], [4, 8], [4, 15], [4, 16], [1, 2], [6, 63], [6, 64]]) assert.equal(flat(depth, units).length - 1, Math.min(units, 2 ** depth));
  assert.deepEqual(flat(3, 1), [[0, 0.5], [1, 0.5]]);
  assert.deepEqual(flat(2, 3), [[0, 0], [0.25, 1], [0.375, 0.5], [1, 0.5]]);
  assert.equal(flat(4, 300).length - 1, 16);
});

test("the gap falls with every unit and is gone at two to the power of the depth", () => {
  near(gap(4, 1), 1 / 12);
  near(gap(2, 3), (1 - 0.375) / 12);
  for (let units = 2; units <= 64; units++) assert.ok(gap(6, units) < gap(6, units - 1));
  assert.ok(gap(6, 63) > 0);
  assert.equal(gap(6, 64), 0);
  assert.equal(reach(6, 300), 1);
});
