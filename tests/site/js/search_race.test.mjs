import assert from "node:assert/strict";
import test from "node:test";
import { belief, below, improvement, likeliest, matern52, process } from "../../../companion/figures/js/parts/guess.js";
import { dealt, gridOf, guided } from "../../../companion/figures/js/search_race.js";

const near = (a, b, tol = 1e-9) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const LENGTHS = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2], NOISES = [1e-4, 1e-3, 1e-2, 0.1, 0.3], SET = [LENGTHS, NOISES];
const square = Array.from({ length: 91 }, (_, k) => [Math.floor(k / 7) / 12, k % 7 / 6]);
const bowl = ([a, b]) => 0.1 + (a - 0.6) ** 2 + 0.2 * (b - 0.3) ** 2;

test("a process is scikit-learn's: guess, doubt and likelihood", () => {
  const made = process([[0, 0], [0.5, 0.25], [1, 1]], [1, -0.5, 0.2], [0.4, 1.6, 0.01]);
  near(made.likelihood, -3.7028895885464603);
  [[[0.25, 0.5], [0.18637406, 0.49284395]], [[0.5, 0.25], [-0.48766724, 0.09933467]]].forEach(([at, due]) => made.guess(at).forEach((v, i) => near(v, due[i], 1e-8)));
});

test("the kernel is one at no distance and known at one length", () => {
  assert.equal(matern52(0), 1);
  near(matern52(1), 0.5239941088318203);
});

test("the normal distribution's tails, to seven digits of themselves", () => {
  for (const [z, due] of [[0, 0.5], [-1, 0.15865525393145707], [1, 0.8413447460685429], [-3, 0.0013498980316300933], [-8, 6.22096057427174e-16]]) near(below(z) / due, 1, 1.3e-7);
});

test("expected improvement by hand, without doubt, and far out", () => {
  near(improvement([0.8, 0.4], 1), 0.2791186, 1e-6);
  assert.equal(improvement([0.2, 0], 0.5), 0.3);
  assert.equal(improvement([0.7, 0], 0.5), 0);
  const far = improvement([0, 1], -6);
  near(far / 1.5635e-10, 1, 1e-3);
  assert.ok(improvement([0, 1], -50) >= 0);
});

test("an axis without effect gets the longest length", () => {
  const found = likeliest(square, square.map(([, b]) => Math.cos(9 * b)), LENGTHS, NOISES);
  assert.equal(found.choice[0], 3.2);
  assert.ok(found.choice[1] <= 0.4);
});

test("what is believed is in the values' own units, and promises nothing where it was", () => {
  const tried = [3, 40, 77, 12, 60], values = tried.map((k) => bowl(square[k])), now = belief(square, tried, values, SET);
  tried.forEach((k) => assert.equal(now.promise[k], -1));
  assert.equal(now.promise[now.next], Math.max(...now.promise));
  near(now.guess(square[40])[0], bowl(square[40]), 0.01);
  const far = belief(square, tried, values.map((v) => 10 * v + 3), SET);
  assert.equal(far.next, now.next);
  near(far.promise[far.next], 10 * now.promise[now.next], 1e-9);
});

test("equal values are no reason to stop", () => {
  assert.ok(belief(square, [1, 2, 3], [0.2, 0.2, 0.2], SET).next > 3);
});

test("the process begins as chance does, tries nothing twice, and beats chance on a bowl", () => {
  const order = dealt(3, 91).order, shown = square.map(bowl), tried = guided(square, shown, order, 25, SET);
  assert.deepEqual(tried.slice(0, 5), order.slice(0, 5));
  assert.equal(new Set(tried).size, 25);
  assert.deepEqual(guided(square, shown, order, 3, SET), order.slice(0, 3));
  const best = (cells) => Math.min(...cells.map((k) => shown[k]));
  assert.equal(best(tried), best([...shown.keys()]));
});

test("a repeat deals each cell a training and an order, the same every time", () => {
  const { show, order } = dealt(7, 91);
  assert.deepEqual(dealt(7, 91), { show, order });
  assert.notDeepEqual(dealt(8, 91).order, order);
  assert.deepEqual([...order].sort((a, b) => a - b), [...Array(91).keys()]);
  assert.ok(show.length === 91 && show.every((i) => i >= 0 && i < 8));
  assert.equal(new Set(show).size, 8);
});

test("a grid has as many different values on each axis as it says, at every offset", () => {
  for (let repeat = 1; repeat < 60; repeat++) {
    for (const m of [2, 3, 4, 5]) {
      const cells = gridOf(repeat, m, [13, 7]);
      assert.equal(new Set(cells).size, m * m);
      assert.equal(new Set(cells.map((k) => Math.floor(k / 7))).size, m);
      assert.equal(new Set(cells.map((k) => k % 7)).size, m);
      assert.ok(cells.every((k) => k >= 0 && k < 91));
    }
  }
});
