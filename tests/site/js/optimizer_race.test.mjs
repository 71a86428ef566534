import assert from "node:assert/strict";
import test from "node:test";
import { bestRate, leftAt, look, pathOf } from "../../../companion/figures/js/optimizer_race.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const plain = { quartic: 0, lift: 0, pits: [] }, here = { turn: [1, 0], fold: 0, at: [0, 0], bow: 2 }, half = Math.SQRT1_2;
const bowl = { ...here, surface: { ...plain, bend: [1, 1] } }, valley = { ...here, surface: { ...plain, bend: [0.1, 2] } };
const turned = { ...valley, turn: [half, -half] }, banana = { ...valley, fold: 0.3, at: [2, -2] };
const how = { lr: 0.1, mu: 0.9, steps: 60, far: 1000 }, NAMES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"];

test("a turned valley has the loss of the place turned back, a banana is 0 along its floor", () => {
  for (const [u, v] of [[-3.4, 1.4], [2, 0.3], [0, -1]]) {
    near(look(turned, [half * (u + v), half * (v - u)]).loss, look(valley, [u, v]).loss);
  }
  near(look(banana, [2, -0.8]).loss, 0);
  near(look(banana, [-3, 0.7]).loss, 0.05 * 25);
});

test("slopes by central differences", () => {
  for (const land of [valley, turned, banana, { ...turned, fold: -0.2, at: [1, 0.5] }]) {
    for (const [x, y] of [[0.3, -0.7], [-2, 1.5], [1.1, 0.2]]) {
      const [a, b] = [[1e-5, 0], [0, 1e-5]].map(([u, v]) => (look(land, [x + u, y + v]).loss - look(land, [x - u, y - v]).loss) / 2e-5), { slope } = look(land, [x, y]);
      near(slope[0], a, 1e-8);
      near(slope[1], b, 1e-8);
    }
  }
});

test("first two steps by hand, on a bowl where the slope is the place", () => {
  const two = (name) => pathOf(bowl, [4, -2], name, { ...how, steps: 2 });
  const close = (name, a, b) => two(name).slice(1).forEach((w, k) => w.forEach((v, i) => near(v, [a, b][k][i], 1e-7)));
  close("sgd", [3.6, -1.8], [3.24, -1.62]);
  close("momentum", [3.6, -1.8], [2.88, -1.44]);
  close("nesterov", [3.24, -1.62], [2.3004, -1.1502]);
  close("adagrad", [3.9, -1.9], [3.9 - 0.39 / Math.sqrt(31.21), -1.9 + 0.19 / Math.sqrt(7.61)]);
  const roots = [0.99 * 0.16 + 0.09, 0.99 * 0.04 + 0.01].map(Math.sqrt);
  close("rmsprop", [3, -1], [3 - 0.3 / roots[0], -1 + 0.1 / roots[1]]);
  near(two("adam")[1][0], 3.9, 1e-8);
  near(two("adam")[1][1], -1.9, 1e-8);
});

test("Adam's first step is the rate in each weight, whatever the slope", () => {
  for (const start of [[3, -0.001], [-0.2, 2.9]]) {
    pathOf(valley, start, "adam", { ...how, steps: 1 })[1].forEach((v, i) => near(v, start[i] - 0.1 * Math.sign(start[i]), 1e-5));
  }
});

test("each walks alone: what the first weight does leaves the second as it is along the axes", () => {
  for (const name of NAMES) {
    const [a, b] = [3, -1].map((x) => pathOf(valley, [x, 1], name, how).map((w) => w[1]));
    assert.deepEqual(a, b, name);
  }
});

test("a path that runs away ends, and the step is told at which it left for good", () => {
  const way = pathOf(valley, [-3.4, 1.4], "sgd", { ...how, lr: 2 });
  assert.ok(way.length < 12 && Math.abs(way.at(-1)[1]) > 1000);
  assert.equal(leftAt(way, [4, 3]), 2);
  assert.equal(leftAt(way.slice(0, 2), [4, 3]), 0);
  assert.equal(leftAt([[0, 0], [0, 9], [0, 1], [0, 8], [0, 9]], [4, 3]), 3, "it came back once");
});

test("the best rate leaves the lowest loss and never one that runs away", () => {
  const grid = [0.01, 0.1, 1, 1.5, 2];
  assert.equal(bestRate(bowl, [3, 1], "sgd", how, grid), 1);
  assert.equal(bestRate(valley, [3, 1], "sgd", how, [0.1, 0.9, 2]), 0.9);
  assert.equal(bestRate(bowl, [0, 0], "sgd", how, [0.1, 1]), 0.1, "of several, the smallest");
  for (const name of NAMES) assert.equal(pathOf(valley, [3, 1], name, { ...how, lr: bestRate(valley, [3, 1], name, how, grid) }).length, 61);
});
