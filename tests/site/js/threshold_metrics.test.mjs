import assert from "node:assert/strict";
import test from "node:test";
import { area, average, byFormula, costs, counted, curve, precisions, ratios } from "../../../companion/figures/js/threshold_metrics.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
// The ten patients of the chapter: three ill, seven healthy.
const ten = { ill: [300, 800, 900], healthy: [50, 100, 100, 200, 200, 400, 700] };

test("counts and metrics of the ten patients, by hand", () => {
  const counts = counted(ten, 500, 0.3), now = ratios(counts);
  Object.entries({ tp: 0.2, fn: 0.1, fp: 0.1, tn: 0.6 }).forEach(([k, v]) => near(counts[k], v));
  Object.entries({ recall: 2 / 3, precision: 2 / 3, specificity: 6 / 7, accuracy: 0.8, f1: 2 / 3, balanced: (2 / 3 + 6 / 7) / 2, matthews: 11 / 21 }).forEach(([k, v]) => near(now[k], v));
});

test("a score on the line is called ill", () => {
  near(counted(ten, 700, 0.3).fp, 0.1);
  near(counted(ten, 701, 0.3).fp, 0);
});

test("everybody and nobody: nothing over nothing is 0", () => {
  assert.deepEqual(counted(ten, 0, 0.25), { tp: 0.25, fn: 0, fp: 0.75, tn: 0 });
  const none = ratios(counted(ten, 1000, 0.25));
  assert.deepEqual([none.precision, none.f1, none.matthews, none.accuracy, none.balanced], [0, 0, 0, 0.75, 0.5]);
  assert.equal(ratios(counted(ten, 0, 0.25)).matthews, 0);
});

test("one in a hundred: precision and accuracy move, recall and specificity stay", () => {
  const few = ratios(counted(ten, 500, 0.01));
  near(few.precision, 0.01 * (2 / 3) / (0.01 * (2 / 3) + 0.99 / 7));
  near(few.recall, 2 / 3);
  near(few.specificity, 6 / 7);
});

test("costs, and the lowest of the cheapest lines", () => {
  const { all, best } = costs(ten, 0.3, 10);
  assert.equal(all.length, 201);
  near(all[0], 0.7);
  near(all[100], 10 * 0.1 + 0.1);
  near(all[200], 3);
  assert.equal(best, 205, "above the healthy ones with 200, and all of the ill are found");
  near(Math.min(...all), 0.2);
});

test("by the formula: 1 over 1 + c where it was measured, higher where the ill are rarer", () => {
  near(byFormula(0.3, 0.3, 10), 1 / 11);
  assert.ok(byFormula(0.3, 0.01, 10) > 0.75);
  near(byFormula(0.5, 0.5, 1), 0.5);
});

test("the curve goes step by step, and equal scores are passed together", () => {
  const points = curve(ten);
  assert.deepEqual(points[0], [0, 0]);
  assert.deepEqual(points.at(-1), [1, 1]);
  assert.equal(points.length, 9, "eight different scores");
  near(area(ten), 19 / 21);
  near(average(precisions(points, 0.3)), 2.6 / 3);
});

test("a tie of an ill and a healthy patient is half a pair", () => {
  near(area({ ill: [500], healthy: [500] }), 0.5);
  near(area({ ill: [500, 700], healthy: [500, 600] }), 2.5 / 4);
});

test("average precision falls with the prevalence, the area does not know it", () => {
  const points = curve(ten);
  assert.ok(average(precisions(points, 0.01)) < average(precisions(points, 0.3)));
  near(average(precisions([[0, 0], [1, 1]], 0.2)), 0.2);
});
