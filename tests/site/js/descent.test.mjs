import assert from "node:assert/strict";
import test from "node:test";
import { pathOf, regime } from "../../../companion/figures/js/descent.js";
import { contours } from "../../../companion/figures/js/parts/contours.js";
import { ground } from "../../../companion/figures/js/parts/surface.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const plain = { quartic: 0, lift: 0, pits: [] };
const bowl = { ...plain, bend: [1, 1] }, valley = { ...plain, bend: [0.1, 2] }, saddle = { bend: [1, -1], quartic: 0.0625, lift: 1, pits: [] };
const hole = { bend: [0, 0], quartic: 0, lift: 2, pits: [[0.8, -0.4, 2, 1.2]] }, mixed = { bend: [0.3, -0.2], quartic: 0.05, lift: 1, pits: [[-1, 0.5, 1.3, 0.9], [2, 1, 0.7, 2]] };
const tilts = [[1000, -300], [-1000, 300], [200, 900], [-200, -900]], look = { noise: 0, momentum: 0, edge: [4, 3], flat: 0.01 };
const how = { lr: 0.5, momentum: 0, batch: 4, steps: 60, tilts, seed: 6, far: 1000 };

test("loss, slope and curvatures by hand: valley, saddle, the bottom of a hole", () => {
  const slant = ground(valley, [-2, 1]);
  assert.deepEqual([slant.loss, slant.slope, slant.size, slant.largest], [1.2, [-0.2, 2], Math.hypot(0.2, 2), 2]);
  near(slant.smallest, 0.1);
  const ridge = ground(saddle, [0, 0]);
  assert.deepEqual([ridge.loss, ridge.size, ridge.largest, ridge.smallest], [1, 0, 1, -1]);
  near(ground(saddle, [0, 2 * Math.SQRT2]).loss, 1);
  near(ground(saddle, [0, 2]).smallest, 1);
  near(ground(saddle, [0, 2]).loss, 0);
  const bottom = ground(hole, [0.8, -0.4]);
  near(bottom.loss, 0);
  near(bottom.largest, 4 * 2 / 1.44);
  near(bottom.smallest, 4 * 2 / 1.44);
});

test("slopes and curvatures by central differences", () => {
  for (const surface of [bowl, valley, saddle, hole, mixed]) {
    for (const [x, y] of [[0.3, -0.7], [-2, 1.5], [1.1, 0.2]]) {
      const at = (dx, dy) => ground(surface, [x + dx, y + dy]), here = at(0, 0), d = 1e-4;
      near((at(d, 0).loss - at(-d, 0).loss) / 2 / d, here.slope[0], 1e-6);
      near((at(0, d).loss - at(0, -d).loss) / 2 / d, here.slope[1], 1e-6);
      const [[a, b], [, c]] = [[d, 0], [0, d]].map(([u, v]) => [0, 1].map((i) => (at(u, v).slope[i] - at(-u, -v).slope[i]) / 2 / d));
      near(here.largest + here.smallest, a + c, 1e-5);
      near(here.largest * here.smallest, a * c - b * b, 1e-4);
    }
  }
});

test("a step on the bowl multiplies by 1 − rate, and momentum adds a part of the last step", () => {
  assert.deepEqual(pathOf(bowl, [4, -2], { ...how, steps: 2 }), [[4, -2], [2, -1], [1, -0.5]]);
  assert.deepEqual(pathOf(bowl, [4, -2], { ...how, steps: 2, momentum: 0.5 }), [[4, -2], [2, -1], [0, 0]]);
});

test("a path ends where it is far out", () => {
  const way = pathOf(bowl, [4, 0], { ...how, lr: 12 }), out = Math.abs(way.at(-1)[0]);
  assert.ok(way.length < 6 && out > 1000 && Math.abs(way.at(-2)[0]) <= 1000);
});

test("batches tilt the slope and all examples leave it as it is, to the last digit", () => {
  const [, a] = pathOf(bowl, [0, 0], { ...how, batch: 1, lr: 1, steps: 1 });
  assert.ok(tilts.some((t) => t[0] / 1000 === -a[0] && t[1] / 1000 === -a[1]));
  for (const w of pathOf(saddle, [2, 0], { ...how, lr: 0.1 })) assert.equal(w[1] || 0, 0, "exactly on the ridge");
});

test("what a path does, in one word", () => {
  const said = (surface, start, steps, changes = {}) => {
    const all = { ...how, ...changes }, noise = all.batch < 4 ? 0.98 : 0;
    return regime(surface, pathOf(surface, start, { ...all, steps }), { ...look, lr: all.lr, noise, momentum: all.momentum });
  };
  assert.equal(said(bowl, [3, 1], 0), "start");
  assert.equal(said(bowl, [3, 1], 3), "down");
  assert.equal(said(bowl, [3, 1], 40), "rest");
  assert.equal(said(bowl, [3, 1], 40, { lr: 0.02 }), "creeps");
  assert.equal(said(bowl, [3, 1], 3, { lr: 1.6 }), "swings");
  assert.equal(said(bowl, [3, 1], 3, { lr: 2 }), "swings", "at the limit the swings stay as they are");
  assert.equal(said(bowl, [3, 1], 3, { lr: 2.02 }), "off");
  assert.equal(said(bowl, [3, 1], 12, { momentum: 0.9 }), "swings");
  assert.equal(said(bowl, [3, 1], 40, { lr: 2.4, momentum: 0.5 }), "rest", "momentum raises the limit to 3");
  assert.equal(said(bowl, [3, 1], 20, { lr: 3.2, momentum: 0.5 }), "off");
  assert.equal(said(saddle, [2, 0], 40), "ridge");
  assert.equal(said(saddle, [2, 0.01], 40), "rest");
  assert.equal(said(hole, [-3.9, 2.9], 20), "plain");
  assert.equal(said(bowl, [3, 1], 60, { batch: 1 }), "noise");
  assert.equal(said(bowl, [3, 1], 8, { batch: 1 }), "down");
  assert.equal(said(bowl, [3, 1], 60, { batch: 1, lr: 0.01 }), "down", "slowly, but it comes nearer");
  assert.equal(said(hole, [-3.9, 2.9], 20, { batch: 1, lr: 0.1 }), "noise", "hardly any slope beside the noise");
});

test("lines of equal height: a circle closes, a plane gives straight lines, a saddle two arms", () => {
  const ring = contours((x, y) => x * x + y * y, [-2, 2], [-2, 2], 40, 40, [1]);
  for (const piece of ring) for (const [x, y] of piece) near(Math.hypot(x, y), 1, 0.01);
  near(ring.reduce((sum, [a, b]) => sum + Math.hypot(a[0] - b[0], a[1] - b[1]), 0), 2 * Math.PI, 0.01);
  for (const piece of contours((x) => x, [0, 3], [0, 1], 7, 5, [1, 2.5])) near(piece[0][0], piece[1][0]);
  assert.equal(contours((x) => x, [0, 3], [0, 1], 7, 5, [1, 2.5]).length, 10);
  assert.deepEqual(contours(() => 1, [0, 1], [0, 1], 4, 4, [1, 2]), []);
  assert.equal(contours((x, y) => x * y, [-1, 1], [-1, 1], 1, 1, [0]).length, 2);
});
