import assert from "node:assert/strict";
import test from "node:test";
import { forward, plan, softmax, valueAt } from "../../../companion/figures/js/forward_trace.js";
import { short } from "../../../companion/figures/js/kit.js";

const net = { w1: [[0.5, -0.5], [1, 1], [-1, 0.5]], b1: [0.5, -1, 0], w2: [[1, -1, 2], [0.5, 1, -1]], b2: [0.5, -1] };

test("the paper network at (2, 1)", () => {
  const { z, h, y, p } = forward(net, [2, 1]);
  assert.deepEqual([z, h, y], [[1, 2, -1.5], [1, 2, 0], [-0.5, 1.5]]);
  assert.ok(Math.abs(p[0] - 0.11920292202211755) < 1e-15 && Math.abs(p[0] + p[1] - 1) < 1e-15);
});

test("softmax does not mind large logits", () => {
  assert.deepEqual(softmax([1000, 1000]), [0.5, 0.5]);
  assert.deepEqual(softmax([0, -1e4]), [1, 0]);
});

test("a plan for each neuron: products, sum, and the bend in the hidden layer only", () => {
  const steps = plan(net), kinds = steps.map((one) => one.kind);
  assert.deepEqual(kinds.slice(0, 5), ["start", "product", "product", "sum", "bend"]);
  assert.deepEqual(kinds.slice(13), ["product", "product", "product", "sum", "product", "product", "product", "sum", "softmax"]);
  assert.deepEqual([kinds.filter((k) => k === "product").length, kinds.filter((k) => k === "sum").length, kinds.filter((k) => k === "bend").length], [12, 5, 3]);
  assert.deepEqual(steps[10], { kind: "product", layer: 1, j: 2, i: 1 });
  assert.deepEqual(steps[19], { kind: "product", layer: 2, j: 1, i: 2 });
});

test("the number of each step, by hand", () => {
  const values = plan(net).map((step) => valueAt(net, [2, 1], step));
  assert.deepEqual(values.slice(0, -1).map((v) => v || 0), [0, 1, -0.5, 1, 1, 2, 1, 2, 2, -2, 0.5, -1.5, 0, 1, -2, 0, -0.5, 0.5, 2, 0, 1.5]);
  assert.ok(Math.abs(values.at(-1) - 0.8807970779778823) < 1e-15);
});

test("numbers are written with the decimals they have", () => {
  assert.deepEqual([2, -0.5, 1.25, -3.375, 0.11920292, -0, null].map(short), ["2", "−0.5", "1.25", "−3.375", "0.1192", "0", "?"]);
});
