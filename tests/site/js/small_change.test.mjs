import assert from "node:assert/strict";
import test from "node:test";
import { forward, slopes } from "../../../companion/figures/js/small_change.js";

const net = { w: 0.5, a: 1.5, k: 1 }, fixed = { other: -1, second: 0.4, target: -0.4 };

test("slopes are those of difference quotients", () => {
  for (const turned of /** @type {("w" | "a" | "k")[]} */ (["w", "a", "k"])) {
    for (const x of [-2, 0.75, 1]) {
      const [up, down] = [1e-6, -1e-6].map((d) => forward(x, { ...net, [turned]: net[turned] + d }, fixed)), told = slopes(turned, x, net, fixed);
      for (const name of Object.keys(told)) assert.ok(Math.abs((up[name] - down[name]) / 2e-6 - told[name]) < 1e-8, `${turned} ${name}`);
    }
  }
});

test("what lies before a weight does not feel it", () => {
  const { u, s, h2 } = slopes("a", 1, net, fixed), before = slopes("k", 1, net, fixed);
  assert.deepEqual([u, s, h2].map(Math.abs), [0, 0, 0]);
  assert.deepEqual([before.u, before.s, before.h1, before.h2].map(Math.abs), [0, 0, 0, 0]);
});
