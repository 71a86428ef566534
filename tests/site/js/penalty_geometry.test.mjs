import assert from "node:assert/strict";
import test from "node:test";
import { ball, bend, ellipse, lossOf, priceOf, solution, zeroFrom } from "../../../companion/figures/js/penalty_geometry.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol * Math.max(1, Math.abs(b)), `${a} against ${b}`);
const round = { wanted: [3, -0.8], tilt: 0, narrow: 1, share: 1 };
const aslant = { wanted: [2.6, 1], tilt: -20, narrow: 3, share: 1 };
const path = [0, ...Array.from({ length: 301 }, (_, k) => 0.01 * 30000 ** (k / 300))];

test("round contours: a soft threshold for L1, division for L2, both for the elastic net", () => {
  assert.deepEqual(solution(round, 0), [3, -0.8]);
  assert.deepEqual(solution(round, 1), [2, 0]);
  assert.deepEqual(solution(round, 3), [0, 0]);
  solution({ ...round, share: 0 }, 1).forEach((w, i) => near(w, [1.5, -0.4][i]));
  solution({ ...round, share: 0.5 }, 1).forEach((w, i) => near(w, [2.5 / 1.5, -0.3 / 1.5][i]));
});

test("contours aslant: determinant 1, and the ellipse is as long as it is said and lies as it is turned", () => {
  const [a, b, d] = bend(aslant);
  near(a * d - b * b, 1);
  assert.ok(b > 0, "turned down to the right: each weight can stand for the other");
  const places = ellipse(aslant, 1.5);
  places.forEach((w) => near(lossOf(aslant, w), 1.5 ** 2 / 2, 1e-9));
  const [x, y] = places[0];
  near(Math.hypot(x - 2.6, y - 1), 1.5 * Math.sqrt(3));
  near(Math.atan2(y - 1, x - 2.6), -20 * Math.PI / 180);
});

test("nothing near the solution is lower, whatever the share and the strength", () => {
  for (const share of [0, 0.3, 1]) {
    for (const wanted of [[2.6, 1], [2.6, -0.2], [-1, 2.5], [0, 0], [0.4, 0]]) {
      for (const strength of [0, 0.3, 1, 1.6, 4, 40]) {
        const one = { ...aslant, wanted, share }, w = solution(one, strength), total = (v) => lossOf(one, v) + strength * priceOf(share, v);
        for (let k = 0; k < 48; k++) {
          const at = w.map((v, i) => v + 1e-4 * [Math.cos, Math.sin][i](k * Math.PI / 24));
          assert.ok(total(at) > total(w) - 1e-15, `${share} ${wanted} ${strength}: ${w}`);
        }
      }
    }
  }
});

test("strength from which on a weight stays 0: by hand in round contours, never under L2, from the start where nothing is wanted", () => {
  near(zeroFrom(round, 0, path), 3, 1e-9);
  near(zeroFrom(round, 1, path), 0.8, 1e-9);
  near(zeroFrom({ ...round, share: 0.5 }, 1, path), 1.6, 1e-9);
  assert.equal(zeroFrom({ ...round, share: 0 }, 0, path), Infinity);
  assert.equal(zeroFrom({ ...round, wanted: [0, 0] }, 0, path), 0);
  const end = zeroFrom(aslant, 0, path);
  assert.ok(solution(aslant, end - 1e-9)[0] > 0 && solution(aslant, end)[0] === 0);
});

test("a weight that crosses 0 on its way is 0 for good only later", () => {
  const one = { ...aslant, wanted: [2.6, -0.2] }, signs = [0.1, 0.5, 1.4, 3].map((v) => Math.sign(solution(one, v)[1]));
  assert.deepEqual(signs, [-1, 0, 1, 0]);
  assert.ok(zeroFrom(one, 1, path) > 1.4);
});

test("ball: one price all around, a circle, a diamond with its corners on the axes, a point for nothing", () => {
  for (const share of [0, 0.4, 1]) ball(share, 1.7).forEach((w) => near(priceOf(share, w), 1.7));
  ball(0, 2).forEach((w) => near(Math.hypot(...w), 2));
  assert.ok(ball(1, 2).some(([u, v]) => Math.abs(u - 2) < 1e-12 && Math.abs(v) < 1e-12));
  ball(1, 2).slice(0, 25).forEach(([u, v]) => near(u + v, 2));
  ball(0.5, 0).forEach((w) => assert.equal(Math.hypot(...w), 0));
});
