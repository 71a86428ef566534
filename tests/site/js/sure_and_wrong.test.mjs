import assert from "node:assert/strict";
import test from "node:test";
import { at, stepsUntilRight, walk } from "../../../companion/figures/js/sure_and_wrong.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);

test("both losses and slopes by hand, at 0 and at −6", () => {
  near(at("entropy", 0).loss, Math.LN2);
  assert.deepEqual(at("square", 0), { loss: 0.25, slope: -0.25 });
  assert.equal(at("entropy", 0).slope, -0.5);
  near(at("entropy", -6).slope, -0.998, 1e-3);
  near(at("square", -6).slope, -0.0049, 1e-4);
});

test("slopes by central differences, and far out without nan", () => {
  for (const kind of ["entropy", "square"]) {
    for (let z = -12; z <= 12; z += 0.37) near((at(kind, z + 1e-5).loss - at(kind, z - 1e-5).loss) / 2e-5, at(kind, z).slope, 1e-8);
    for (const z of [-1000, 1000]) assert.ok(Number.isFinite(at(kind, z).loss) && Number.isFinite(at(kind, z).slope));
  }
  assert.equal(at("entropy", -1000).loss, 1000);
});

test("the walk begins where it stands and goes by the learning rate", () => {
  assert.deepEqual(walk("square", 0, 2, 0), [0]);
  assert.deepEqual(walk("square", 0, 2, 1), [0, 0.5]);
  assert.equal(walk("entropy", -6, 1, 7).length, 8);
});

test("the chapter's 7 and 214 steps; none on the right side, one at 0, and an end to patience", () => {
  assert.equal(stepsUntilRight("entropy", -6, 1, 1e5), 7);
  assert.equal(stepsUntilRight("square", -6, 1, 1e5), 214);
  assert.equal(stepsUntilRight("square", 0.1, 1, 1e5), 0);
  assert.equal(stepsUntilRight("entropy", 0, 1, 1e5), 1);
  assert.equal(stepsUntilRight("square", -6, 1, 50), 50);
  assert.ok(walk("square", -6, 1, 213).at(-1) <= 0 && walk("square", -6, 1, 214).at(-1) > 0);
});
