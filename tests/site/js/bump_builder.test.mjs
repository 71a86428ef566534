import assert from "node:assert/strict";
import test from "node:test";
import { built, bumps, corners, CURVES, largest } from "../../../companion/figures/js/bump_builder.js";

const places = { low: 50, high: 950, parts: 1000, jump: [0.4, 0.8] };
const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

test("curves at places that are known", () => {
  near(CURVES.wave(0.25), 0.5);
  near(CURVES.wave(0.5), 0);
  assert.deepEqual([CURVES.jump(0), CURVES.jump(0.4)], [-0.8, -0.8]);
  near(CURVES.jump(0.4 - 1e-12), 0.8, 1e-9);
  near(CURVES.jump(1), 0.8);
  assert.equal(CURVES.cusp(0.4), -0.8);
});

test("bumps, joined and cut short, are the sum of their two sigmoids each", () => {
  for (const [n, steepness] of [[1, 1], [3, 7], [17, 2], [60, 1], [60, 50], [5, 20]]) {
    const value = bumps(CURVES.wave, n, steepness);
    for (let i = 0; i <= 200; i++) {
      const x = i / 200;
      let sum = 0;
      for (let k = 0; k < n; k++) sum += CURVES.wave((k + 0.5) / n) * (sigmoid(steepness * (x * n - k)) - sigmoid(steepness * (x * n - k - 1)));
      near(value(x), sum);
    }
  }
});

test("a bump is half way up at its end and has its height in the middle when it is steep", () => {
  const value = bumps(() => 2, 1, 50);
  near(value(0), 1);
  near(value(0.5), 2, 1e-9);
});

test("the straight lines are the sum of the ReLUs", () => {
  for (const n of [1, 4, 13, 60]) {
    const value = built("wave", "corners", n, 1), { start, bends } = corners(CURVES.wave, n);
    for (let i = 0; i <= 100; i++) near(value(i / 100), bends.reduce((sum, v, k) => sum + v * Math.max(0, i / 100 - k / n), start));
  }
});

test("corners pass through n + 1 points and are straight between them", () => {
  const value = built("cusp", "corners", 7, 1), f = CURVES.cusp;
  for (let k = 0; k <= 7; k++) near(value(k / 7), f(k / 7));
  near(value(2.5 / 7), (f(2 / 7) + f(3 / 7)) / 2);
  assert.deepEqual(corners((x) => x, 2), { start: 0, bends: [1, 0] });
});

test("the largest error counts both sides of the jump, so half of it is always missed", () => {
  const both = largest("jump", () => 0, places);
  near(both.error, 0.8);
  for (const kind of ["bumps", "corners"]) {
    for (let n = 1; n <= 60; n++) assert.ok(largest("jump", built("jump", kind, n, 50), places).error >= 0.8, `${kind} ${n}`);
  }
  assert.deepEqual(largest("jump", (x) => (x < 0.4 ? CURVES.jump(x) : -0.8 + (x - 0.4) * 8 / 3), places), { error: 1.6, x: 0.4, should: 0.8 });
});

test("twice as many: half of the error for steep bumps, a quarter for corners, a root at the cusp", () => {
  const factor = (curve, kind) => largest(curve, built(curve, kind, 20, 20), places).error / largest(curve, built(curve, kind, 40, 20), places).error;
  near(factor("wave", "bumps"), 2, 0.05);
  near(factor("wave", "corners"), 4, 0.2);
  near(factor("cusp", "bumps"), Math.SQRT2, 0.01);
  near(factor("cusp", "corners"), Math.SQRT2, 0.01);
});
