import assert from "node:assert/strict";
import test from "node:test";
import { chances, judged, place, temperature, unpacked } from "../../../companion/figures/js/reliability.js";
import { seeded } from "../../../companion/figures/js/kit.js";

const near = (a, b, tol = 1e-12) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

test("twelve steps double the temperature", () => {
  assert.deepEqual([-12, 0, 12, 14, 19].map(temperature), [0.5, 1, 2, 2.24, 3]);
});

test("answers are unpacked two letters a logit, and the largest is the answer", () => {
  assert.deepEqual(unpacked("10", "AAA/BA" + "BAAAAB", letters), [
    { label: 1, below: [0, 0.63, 0.64], answer: 0 },
    { label: 0, below: [0.64, 0, 0.01], answer: 1 },
  ]);
});

test("softmax at a temperature, by hand", () => {
  const ln3 = Math.log(3), [right, wrong] = judged([{ label: 0, below: [0, ln3], answer: 0 }, { label: 1, below: [0, ln3], answer: 0 }], 1);
  near(right.sure, 0.75);
  near(right.loss, -Math.log(0.75));
  near(wrong.loss, -Math.log(0.25));
  assert.deepEqual([right.right, wrong.right], [true, false]);
  const [half] = judged([{ label: 0, below: [0, ln3], answer: 0 }], 2);
  near(half.sure, 1 / (1 + 1 / Math.sqrt(3)));
});

test("a sure mistake costs what it costs, and not what a probability above 0 can say", () => {
  near(judged([{ label: 1, below: [0, 40], answer: 0 }], 0.5)[0].loss, 80);
});

test("a confidence on an edge belongs to the lower bin, and 0 and 1 have one", () => {
  assert.deepEqual([0, 0.1, 0.10001, 0.5, 1].map((v) => place(v, 10)), [0, 0, 1, 4, 9]);
});

test("a calibrated model that is sure of everything makes no error", () => {
  const { hits, errors } = chances(Array(30).fill(1), 5, seeded(1));
  assert.ok(errors.every((v) => v === 0));
  assert.deepEqual(hits[4], Array(200).fill(30));
  assert.deepEqual(hits[0], Array(200).fill(0));
});

test("one answer of one half is half an error in each draw", () => {
  const { hits, errors } = chances([0.5], 10, seeded(3));
  assert.ok(errors.every((v) => v === 0.5));
  assert.ok(hits[4][0] === 0 && hits[4].at(-1) === 1);
});

test("the null falls with the root of the answers, and draws come in order", () => {
  const usual = (n) => { const { errors } = chances(Array.from({ length: n }, (_, i) => 0.3 + 0.69 * (i + 0.5) / n), 10, seeded(7)); assert.deepEqual(errors, [...errors].sort((a, b) => a - b)); return errors.reduce((sum, v) => sum + v, 0) / errors.length; };
  near(usual(60) / usual(480), Math.sqrt(8), 0.3);
});
