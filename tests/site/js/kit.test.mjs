import assert from "node:assert/strict";
import test from "node:test";
import { boundary, fmt, halfPlane, inParens, plural, sci, signed, ticks } from "../../../companion/figures/js/kit.js";

const area = (c) => Math.abs(c.reduce((sum, [x, y], i) => {
  const [u, v] = c[(i + 1) % c.length];
  return sum + x * v - u * y;
}, 0)) / 2;

test("numbers carry a real minus sign and no negative zero", () => {
  assert.equal(fmt(-1.5, 1), "−1.5");
  assert.equal(fmt(-0.004), "0.00");
  assert.equal(fmt(NaN), "nan");
  assert.equal(fmt(-Infinity), "−inf");
  assert.equal(fmt(Infinity), "inf");
  assert.equal(signed(-2, 1), "− 2.0");
  assert.equal(signed(2, 1), "+ 2.0");
  assert.equal(inParens(-1, 0), "(−1)");
  assert.equal(inParens(1, 0), "1");
});

test("sci is plain while a few decimals say it", () => {
  assert.equal(sci(0.25), "0.250");
  assert.equal(sci(0), "0.000");
  assert.equal(sci(9.5367e-7), "9.54e−7");
  assert.equal(sci(-1.5e8), "−1.50e8");
  assert.equal(sci(Infinity), "inf");
});

test("plural", () => {
  assert.equal(plural(1, "mistake"), "1 mistake");
  assert.equal(plural(0, "mistake"), "0 mistakes");
  assert.equal(plural(2, "man", "men"), "2 men");
});

test("ticks are round, inside, and never more than asked for by much", () => {
  assert.deepEqual(ticks([-0.5, 5.5], 6), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(ticks([0, 1], 4), [0, 0.5, 1]);
  assert.deepEqual(ticks([-0.25, 1.25], 5), [0, 0.5, 1]);
  for (const [lo, hi] of [[-6, 6], [-1, 4], [0, 0.001], [-1000, 1000]]) {
    const t = ticks([lo, hi], 5);
    assert.ok(t.length >= 2 && t.length <= 7 && t[0] >= lo && t.at(-1) <= hi + 1e-9, `${t}`);
  }
});

test("a half plane and its complement fill the rectangle", () => {
  for (const [w1, w2, b] of [[1, 1, -3], [-0.4, 1.5, 0], [1, 0, -2], [0, -1, 1], [2, -2, 0.3], [1, 1, 9], [0, 0, 1], [0, 0, -1]]) {
    const mine = area(halfPlane([0, 4], [0, 2], w1, w2, b)), other = area(halfPlane([0, 4], [0, 2], -w1, -w2, -b));
    assert.ok(Math.abs(mine + other - 8) < 1e-9, `${[w1, w2, b, mine, other]}`);
  }
  assert.equal(area(halfPlane([0, 4], [0, 2], 1, 0, -1)), 6);
});

test("both ends of a boundary lie on it and inside", () => {
  const ends = boundary([0, 4], [0, 2], 1, 1, -3);
  assert.equal(ends.length, 2);
  for (const [x, y] of ends) {
    assert.ok(Math.abs(x + y - 3) < 1e-9);
    assert.ok(x >= 0 && x <= 4 && y >= 0 && y <= 2);
  }
  assert.equal(boundary([0, 4], [0, 2], 1, 1, 9), null);
  assert.equal(boundary([0, 4], [0, 2], 0, 0, 1), null);
  assert.equal(boundary([0, 4], [0, 2], 1, 1, 0), null, "a corner alone is no line");
  assert.equal(boundary([0, 4], [0, 2], 1, -2, 0).length, 2, "through two corners");
});
