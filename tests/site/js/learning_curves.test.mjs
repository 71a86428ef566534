import assert from "node:assert/strict";
import test from "node:test";
import { noted, score, unpacked, verdict } from "../../../companion/figures/js/learning_curves.js";

const patients = [{ right: "b" }, { right: "f" }, { right: "i" }].map((p) => ({ ...p, curves: [], after: [], sign: "it turns at epoch 4", why: "By heart." }));
const illnesses = { b: ["overfitting", "validation turns", "92", "94"], f: ["rate too low", "both fall slowly", "98", "98"] };

test("whole numbers become losses and shares", () => {
  assert.deepEqual(unpacked(["2309 48", "7 100", "519485 0", "0 71"]), [[2.309, 0.048], [0.07, 1], [519.485, 0], [0, 0.71]]);
});

test("the first diagnosis of a patient is noted, and later ones leave it", () => {
  assert.equal(noted("---", 2, "f"), "-f-");
  assert.equal(noted("-f-", 2, "b"), "-f-");
  assert.equal(noted("-f-", 3, "b"), "-fb");
  assert.equal(noted("---", 1, "none"), "---");
});

test("score counts what is right among what is given", () => {
  assert.deepEqual(score("---", patients), [0, 0]);
  assert.deepEqual(score("b-b", patients), [1, 2]);
  assert.deepEqual(score("bfi", patients), [3, 3]);
});

test("a right diagnosis hears why and what is next, a wrong one what it would look like and what is here", () => {
  assert.equal(verdict(patients[0], "b", illnesses), "Yes, overfitting: it turns at epoch 4. By heart.");
  assert.equal(verdict(patients[0], "f", illnesses), "No, not “rate too low”. That would look otherwise: both fall slowly. Here it turns at epoch 4.");
  assert.ok(!verdict(patients[0], "f", illnesses).includes("overfitting"), "the right one is not given away");
  assert.equal(verdict(patients[0], "none", illnesses), "What is wrong here, if anything?");
});
