import assert from "node:assert/strict";
import test from "node:test";
import { drawn, measured, moments, predicted } from "../../../companion/figures/js/gradient_flow.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol * Math.max(1, Math.abs(b)), `${a} against ${b}`);
const fixed = (x, back, ...tables) => ({ x: x.map((v) => Float64Array.from(v)), back: back.map((v) => Float64Array.from(v)), table: (k) => Float64Array.from(tables[k]) });

test("mean squares over a normal: all of it for a line, half for a ReLU, a quarter for a sigmoid of nothing", () => {
  const [a, b] = moments("linear", 3);
  near(a, 3, 1e-4);
  near(b, 1);
  const [c, d] = moments("relu", 3);
  near(c, 1.5, 1e-4);
  near(d, 0.5);
  moments("sigmoid", 0).forEach((v, i) => near(v, [1 / 4, 1 / 16][i]));
  near(moments("tanh", 1e4)[0], 1, 0.01);
  near(moments("tanh", 1600)[1], 4 / 3 / 40 / Math.sqrt(2 * Math.PI), 1e-3); // a peak of width 1/40, the integral of sech⁴ is 4/3
});

test("prediction by hand: a line keeps what n · Var(w) keeps, a ReLU half of it", () => {
  const net = { activation: "linear", std: 0.1, depth: 3, width: 100 };
  const kept = predicted(net);
  kept.forward.forEach((v) => near(v, 1, 1e-3));
  kept.sums.forEach((v) => near(v, 1));
  kept.weights.forEach((v) => near(v, 10, 1e-3));
  const half = predicted({ ...net, activation: "relu" });
  near(half.sums[0], 0.5);
  near(half.forward[2], 0.25, 1e-3);
});

test("measurement by hand: two layers of two units, one example", () => {
  const chance = fixed([[1, -1]], [[0.6, 0.8]], [1, 2, 3, -4], [1, 0, 2, 1]); // sums: (-2, 6), then ReLU (0, 6), then (12, 6)
  const flow = measured({ activation: "relu", std: 1, depth: 2, width: 2 }, chance);
  near(flow.forward[0], (4 + 36) / 2);
  near(flow.forward[1], (144 + 36) / 2);
  near(flow.sums[1], 1);
  near(flow.sums[0], 2 * 0.6 + 0.8); // the first unit is off
  near(flow.weights[1], 6);
  near(flow.weights[0], 2 * Math.SQRT2);
});

test("examples are joined by the root of their mean square", () => {
  const flow = measured({ activation: "linear", std: 2, depth: 1, width: 1 }, fixed([[1], [3]], [[1], [2]], [0.5]));
  near(flow.forward[0], (1 + 9) / 2);
  near(flow.sums[0], Math.sqrt((1 + 4) / 2));
  near(flow.weights[0], Math.sqrt((1 + 36) / 2));
});

test("slopes by central differences, through layers that bend", () => {
  const chance = drawn(3, 4, 1), net = { activation: "tanh", std: 0.7, depth: 3, width: 4 };
  const end = (x) => {
    let now = [...x];
    for (let k = 0; k < 3; k++) {
      const z = now.map((_, j) => now.reduce((sum, v, i) => sum + v * 0.7 * chance.table(k)[i * 4 + j], 0));
      now = k < 2 ? z.map(Math.tanh) : z;
    }
    return now.reduce((sum, v, i) => sum + v * chance.back[0][i], 0);
  };
  // by the weights of layer 1: the change of one weight is seen through the change of its product
  let total = 0;
  for (let w = 0; w < 16; w++) {
    const table = chance.table(0), before = table[w], at = (v) => { table[w] = v; return end(chance.x[0]); };
    total += ((at(before + 1e-5) - at(before - 1e-5)) / 2e-5 / 0.7) ** 2;
    table[w] = before;
  }
  near(measured(net, chance).weights[0], Math.sqrt(total), 1e-7);
});

test("chance: mean square 1, length 1, variance near 1, and deeper networks begin as the shallow ones", () => {
  const chance = drawn(5, 30, 4), [a, b] = [drawn(5, 30, 4), drawn(5, 30, 4)];
  chance.x.forEach((x) => near(x.reduce((sum, v) => sum + v * v, 0) / 30, 1));
  chance.back.forEach((x) => near(x.reduce((sum, v) => sum + v * v, 0), 1));
  near(chance.table(0).reduce((sum, v) => sum + v * v, 0) / 900, 1, 0.1);
  a.table(9);
  assert.deepEqual(a.table(2), b.table(2));
  assert.notDeepEqual(a.table(2), drawn(6, 30, 4).table(2));
});
