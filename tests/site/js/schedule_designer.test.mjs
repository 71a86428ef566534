import assert from "node:assert/strict";
import test from "node:test";
import { expected, lineOf, ratesOf } from "../../../companion/figures/js/schedule_designer.js";

const plan = { kind: "constant", base: 0.5, steps: 100, warm: 0, drops: 3, share: 0.001, first: 0.1, patience: 10, threshold: 0.01 };
const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const of = (changes) => ratesOf({ ...plan, ...changes }, [1, 0.1], 0.04);

test("rates by hand: three drops to a thousandth are tenths, a wave is half down in the middle", () => {
  assert.deepEqual(new Set(of({})), new Set([0.5]));
  const step = of({ kind: "step" });
  [0.5, 0.05, 0.005, 0.0005].forEach((v, i) => { near(step[25 * i], v); near(step[25 * i + 24], v); });
  near(of({ kind: "cosine" })[50], 0.5 * (1 + 0.001) / 2);
  near(of({ kind: "exponential" })[50], 0.5 * Math.sqrt(0.001));
});

test("a warm-up rises on a line from a tenth to the base rate, and the schedule follows from its own start", () => {
  for (const kind of ["constant", "step", "exponential", "cosine"]) {
    const rates = of({ kind, warm: 0.2 });
    near(rates[0], 0.05);
    near(rates[10], 0.275);
    near(rates[20], 0.5);
    assert.equal(rates.length, 100);
  }
  const cycle = of({ kind: "cycle", warm: 0.2 });
  near(cycle[0], 0.05);
  near(cycle[19], 0.5);
  near(cycle[99], 0.0005);
});

test("lines of PyTorch: one for each part, joined where a warm-up comes first", () => {
  assert.equal(lineOf(plan), "");
  assert.equal(lineOf({ ...plan, warm: 0.1 }), "LinearLR(optimizer, start_factor=0.1, total_iters=10)");
  assert.equal(lineOf({ ...plan, kind: "step" }), "StepLR(optimizer, step_size=25, gamma=0.001 ** (1 / 3))");
  assert.equal(lineOf({ ...plan, kind: "cosine", warm: 0.1 }), "SequentialLR(optimizer, [LinearLR(optimizer, start_factor=0.1, total_iters=10), CosineAnnealingLR(optimizer, T_max=90, eta_min=0.0005)], milestones=[10])");
  assert.match(lineOf({ ...plan, kind: "cycle", warm: 0.3 }), /^OneCycleLR\(optimizer, max_lr=0.5, total_steps=100, pct_start=0.3, div_factor=10, final_div_factor=100, cycle_momentum=False\)$/);
});

test("expected loss: one weight in closed form, its cloud, and growth above the limit", () => {
  const [way, cloud] = expected(Array(300).fill(0.5), [1], 0.04).at(-1);
  near(way, 0);
  near(cloud, 0.5 * 0.25 * 0.04 / (1 - 0.25), 1e-9);
  near(expected([0.5, 0.5], [1, 0.2], 0)[2][0], (0.0625 + 0.2 * 0.9 ** 4) / 2);
  assert.deepEqual(expected([], [1, 3], 1), [[2, 0]]);
  const beyond = expected(Array(20).fill(2.1), [1], 0);
  assert.ok(beyond[20][0] > beyond[19][0] && beyond[1][0] > beyond[0][0]);
});

test("a plateau's schedule waits for eleven steps without a better loss, and stops at the last share", () => {
  const rates = of({ kind: "plateau", warm: 0.3, steps: 400, share: 0.1 }), falls = rates.flatMap((v, t) => (t && v < rates[t - 1] ? [t] : []));
  assert.equal(rates[0], 0.5, "no warm-up");
  falls.forEach((t) => near(rates[t] / rates[t - 1], 0.1 ** (1 / 3)));
  assert.ok(falls.length > 1 && falls.slice(1).every((t, i) => t - falls[i] >= 11));
  near(rates[399], 0.05);
  assert.equal(Math.min(...of({ kind: "plateau", steps: 400, share: 0.5, drops: 1 })), 0.25);
  assert.equal(lineOf({ ...plan, kind: "plateau" }), "ReduceLROnPlateau(optimizer, factor=0.001 ** (1 / 3), patience=10, threshold=0.01, min_lr=0.0005)");
  assert.equal(lineOf({ ...plan, kind: "plateau", share: 1 }), "");
});
