import assert from "node:assert/strict";
import test from "node:test";
import { lossAt, seen } from "../../../companion/figures/js/loss_surface.js";
import { downhill } from "../../../companion/figures/js/parts/downhill.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const one = [[1, 0, 1]], two = [[1, 0.5, 1], [-0.3, 2, 0]], KINDS = ["bowl", "entropy", "square"];

test("losses and slopes of one example by hand", () => {
  assert.deepEqual(lossAt("bowl", [3, 7], one), { loss: 4, slope: [4, 0] });
  near(lossAt("entropy", [0, 7], one).loss, Math.LN2);
  assert.deepEqual(lossAt("entropy", [0, 7], one).slope, [-0.5, 0]);
  assert.deepEqual(lossAt("square", [0, 7], one), { loss: 0.25, slope: [-0.25, 0] });
});

test("slopes by central differences, and far out without nan", () => {
  for (const kind of KINDS) {
    for (const w of [[0, 0], [2, -1.5], [-6, 5], [7.9, 7.9]]) {
      const { slope } = lossAt(kind, w, two);
      [0, 1].forEach((i) => {
        const moved = (d) => lossAt(kind, w.map((v, k) => v + (k === i ? d : 0)), two).loss;
        near((moved(1e-5) - moved(-1e-5)) / 2e-5, slope[i], 1e-7);
      });
    }
    const far = lossAt(kind, [-900, 900], two);
    assert.ok([far.loss, ...far.slope].every(Number.isFinite), kind);
  }
});

test("the way begins where it stands and follows the slope", () => {
  assert.deepEqual(downhill((w) => lossAt("bowl", w, one).slope, [3, 7], 0.25, 2), [[3, 7], [2, 7], [1.5, 7]]);
  for (const kind of KINDS) {
    const way = downhill((w) => lossAt(kind, w, two).slope, [-6, -5], 0.25, 40), losses = way.map((w) => lossAt(kind, w, two).loss);
    assert.equal(way.length, 41);
    assert.ok(losses.every((v, i) => !i || v <= losses[i - 1]), `${kind} never goes up`);
  }
});

test("the view: from the front, from the right, and from straight above", () => {
  const close = (place, expected) => place.forEach((v, i) => near(v, expected[i]));
  close(seen([1, 0, 1], 0, 0, 2), [1, 0, 0]);
  close(seen([1, 1, 2], 0, 0, 2), [1, 1, 1]);
  close(seen([1, 0, 1], 90, 0, 2), [0, 0, 1]);
  close(seen([0.5, -1, 2], 0, 90, 2), [0.5, -1, -1]);
});
