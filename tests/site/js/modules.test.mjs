import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";

const folder = new URL("../../../companion/figures/js/", import.meta.url);
const load = (name) => import(new URL(`${name}.js`, folder));
const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);

test("every module exports render and nothing runs on import", async () => {
  const names = readdirSync(folder).filter((f) => f.endsWith(".js")).map((f) => f.slice(0, -3));
  for (const name of names.filter((n) => n !== "kit" && n !== "runtime")) {
    assert.equal(typeof (await load(name)).default.render, "function", name);
  }
});

test("neuron: weighted sum and mistakes of each kind", async () => {
  const { weightedSum, mistakes } = await load("neuron_boundary");
  near(weightedSum(2, -1, 0.5, [1, 3]), -0.5);
  const points = [[0, 0, 0], [2, 0, 1], [3, 0, 0]];
  assert.deepEqual(mistakes(points, 1, 0, -1), [1, 0]);
  assert.deepEqual(mistakes(points, 0, 0, -1), [0, 1]);
  assert.deepEqual(mistakes(points, 0, 0, 0), [2, 0], "z = 0 counts as firing");
});

test("perceptron: the sentence says what changes", async () => {
  const { describe } = await load("perceptron_steps");
  const step = { i: 0, epoch: 2, prediction: 1, target: 0 };
  assert.match(describe(step, [[1.4, 0.2]], ["a", "b"]), /wrong\. Subtract the flower \(1\.4, 0\.2\) from the weights/);
  assert.match(describe({ ...step, prediction: 0, target: 1 }, [[1.4, 0.2]], ["a", "b"]), /Add the flower .* add 1 to the bias/);
  assert.match(describe({ ...step, prediction: 0 }, [[1.4, 0.2]], ["a", "b"]), /right, so nothing changes/);
  assert.match(describe(undefined, [], []), /^Start/);
});

test("xor: four rows by hand", async () => {
  const { forward } = await load("xor_network");
  const net = { w1: [[1, 1], [1, 1]], b1: [-0.5, -1.5], w2: [1, -2], b2: -0.5 };
  for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) assert.equal(forward(net, [a, b]).y, a ^ b);
  assert.deepEqual(forward(net, [1, 1]), { z: [1.5, 0.5], a: [1, 1], out: -1.5, y: 0 });
});

test("activations: known values, limits, and slopes by central differences", async () => {
  const { FUNCTIONS } = await load("activation_explorer");
  near(FUNCTIONS.sigmoid[0](0), 0.5);
  near(FUNCTIONS.gelu[0](1), 0.8413447460685429);
  near(FUNCTIONS.gelu[0](-3), -0.004049694094890284, 1e-14);
  near(FUNCTIONS.softplus[0](0), Math.LN2);
  near(FUNCTIONS.silu[0](-1), -1 / (1 + Math.E));
  near(FUNCTIONS.elu[0](-1), 1 / Math.E - 1);
  assert.deepEqual(["step", "relu", "leaky_relu", "elu"].map((n) => FUNCTIONS[n][1](0)), [0, 0, 0.01, 1]);
  for (const [name, [f, d]] of Object.entries(FUNCTIONS)) {
    for (let x = -7.93; x < 8; x += 0.37) near((f(x + 1e-5) - f(x - 1e-5)) / 2e-5, d(x), 1e-8);
    for (const x of [-1e4, -800, 800, 1e4]) assert.ok(Number.isFinite(f(x)) && Number.isFinite(d(x)), `${name} at ${x}`);
  }
});

test("softmax: stable stands still, naive leaves float32 at 88.72", async () => {
  const { entropy, naive, stable } = await load("softmax_temperature");
  const p = stable([1000, 1001, 1002], 1).p;
  [0.09003057317038046, 0.24472847105479764, 0.6652409557748218].forEach((v, i) => near(p[i], v));
  assert.ok(naive([2, 1, 0], 86, 1).p.every(Number.isFinite));
  assert.ok(naive([2, 1, 0], 87, 1).p.some(Number.isNaN));
  assert.equal(naive([2, 1, 0], -1000, 1).sum, 0);
  near(entropy([0.25, 0.25, 0.25, 0.25]), Math.log(4));
  assert.equal(entropy([1, 0, 0]), 0);
  near(stable([2, 1, 0], 0.1).p.reduce((a, b) => a + b), 1);
});

test("two humps: a bell adds up to 1, and a divergence is 0 for equal shares only", async () => {
  const { bell, divergence } = await load("two_humps"), grid = { end: 8, parts: 320 };
  const p = bell(-2, 0.6, grid), q = bell(1, 2, grid);
  near(p.reduce((a, b) => a + b), 1);
  near(divergence(p, p, 1e-300), 0);
  near(divergence([0.5, 0.5], [0.9, 0.1], 1e-300), 0.5108256237659907);
  near(divergence([0.9, 0.1], [0.5, 0.5], 1e-300), 0.368064207168497);
  assert.ok(divergence(p, q, 1e-300) > 0 && divergence(q, p, 1e-300) > divergence(p, q, 1e-300));
  assert.equal(divergence([0, 1], [0.5, 0.5], 1e-300), Math.LN2);
});

test("runtime: the model tells its listeners until they leave", async () => {
  const { modelOf } = await load("runtime");
  const model = modelOf({ a: 1 }), heard = [], f = () => heard.push(model.get("a"));
  model.on("change:a", f);
  model.set("a", 2);
  model.off("change:a", f);
  model.set("a", 3);
  assert.deepEqual(heard, [2]);
});

test("neuron: a flower on the line has z = 0 whatever the rounding of its products", async () => {
  const { weightedSum } = await load("neuron_boundary");
  for (let x = 0; x <= 50; x++) {
    for (let w = -20; w <= 20; w++) assert.equal(weightedSum(w / 10, -w / 10, 0, [x / 10, x / 10]) || 0, 0);
    assert.equal(weightedSum(-0.4, 1.5, 0, [x * 3 / 20, x * 4 / 100]) || 0, 0);
  }
});

test("neuron: how far a line that misses the picture is from it", async () => {
  const { outside } = await load("neuron_boundary");
  assert.deepEqual(outside([0, 4], [0, 2], 1, 0, -6), { corner: [4, 0], distance: 2 });
  assert.deepEqual(outside([0, 4], [0, 2], 3, 4, 10).corner, [0, 0]);
  near(outside([0, 4], [0, 2], 3, 4, 10).distance, 2);
  assert.equal(outside([0, 4], [0, 2], 0, 0, 1).distance, Infinity);
});

test("kernel: border, places and sums by hand", async () => {
  const { padded, places, slide } = await load("kernel_slide");
  assert.deepEqual(padded([[1, 2], [3, 4]], 1), [[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]]);
  assert.equal(places(8, 3, 1, 0), 6);
  assert.equal(places(8, 3, 3, 2), 4);
  const picture = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], diagonal = [[1, 0], [0, 1]];
  assert.deepEqual(slide(picture, diagonal, 1, 0), [[6, 8], [12, 14]]);
  assert.deepEqual(slide(picture, diagonal, 2, 1), [[1, 3], [7, 14]]);
});
