import assert from "node:assert/strict";
import test from "node:test";
import { accepted, boundary, fmt, halfPlane, inParens, linked, places, plural, said, sci, seeded, shareLink, signed, snapped, strengths, taken,
  ticks } from "../../../companion/figures/js/kit.js";

const area = (c) => Math.abs(c.reduce((sum, [x, y], i) => {
  const [u, v] = c[(i + 1) % c.length];
  return sum + x * v - u * y;
}, 0)) / 2;

test("numbers carry a real minus sign and no negative zero", () => {
  assert.equal(fmt(-1.5, 1), "−1.5");
  assert.equal(fmt(-0.004), "0.00");
  assert.equal(fmt(NaN), "nan");
  assert.equal(fmt(-Infinity), "−inf");
  assert.equal(fmt(Infinity), "inf");
  assert.equal(signed(-2, 1), "− 2.0");
  assert.equal(signed(2, 1), "+ 2.0");
  assert.equal(inParens(-1, 0), "(−1)");
  assert.equal(inParens(1, 0), "1");
});

test("sci is plain while a few decimals say it", () => {
  assert.equal(sci(0.25), "0.250");
  assert.equal(sci(0), "0.000");
  assert.equal(sci(9.5367e-7), "9.54e−7");
  assert.equal(sci(-1.5e8), "−1.50e8");
  assert.equal(sci(Infinity), "inf");
});

test("plural", () => {
  assert.equal(plural(1, "mistake"), "1 mistake");
  assert.equal(plural(0, "mistake"), "0 mistakes");
  assert.equal(plural(2, "man", "men"), "2 men");
});

test("ticks are round, inside, and never more than asked for by much", () => {
  assert.deepEqual(ticks([-0.5, 5.5], 6), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(ticks([0, 1], 4), [0, 0.5, 1]);
  assert.deepEqual(ticks([-0.25, 1.25], 5), [0, 0.5, 1]);
  for (const [lo, hi] of [[-6, 6], [-1, 4], [0, 0.001], [-1000, 1000]]) {
    const t = ticks([lo, hi], 5);
    assert.ok(t.length >= 2 && t.length <= 7 && t[0] >= lo && t.at(-1) <= hi + 1e-9, `${t}`);
  }
});

test("a half plane and its complement fill the rectangle", () => {
  for (const [w1, w2, b] of [[1, 1, -3], [-0.4, 1.5, 0], [1, 0, -2], [0, -1, 1], [2, -2, 0.3], [1, 1, 9], [0, 0, 1], [0, 0, -1]]) {
    const mine = area(halfPlane([0, 4], [0, 2], w1, w2, b)), other = area(halfPlane([0, 4], [0, 2], -w1, -w2, -b));
    assert.ok(Math.abs(mine + other - 8) < 1e-9, `${[w1, w2, b, mine, other]}`);
  }
  assert.equal(area(halfPlane([0, 4], [0, 2], 1, 0, -1)), 6);
});

test("both ends of a boundary lie on it and inside", () => {
  const ends = boundary([0, 4], [0, 2], 1, 1, -3);
  assert.equal(ends.length, 2);
  for (const [x, y] of ends) {
    assert.ok(Math.abs(x + y - 3) < 1e-9);
    assert.ok(x >= 0 && x <= 4 && y >= 0 && y <= 2);
  }
  assert.equal(boundary([0, 4], [0, 2], 1, 1, 9), null);
  assert.equal(boundary([0, 4], [0, 2], 0, 0, 1), null);
  assert.equal(boundary([0, 4], [0, 2], 1, 1, 0), null, "a corner alone is no line");
  assert.equal(boundary([0, 4], [0, 2], 1, -2, 0).length, 2, "through two corners");
});

test("an address gives a control only what it can have", () => {
  const spec = { name: "w", label: "w", kind: "slider", value: 1, min: -2, max: 2, step: 0.1 };
  assert.equal(accepted(spec, "0.33"), 0.3);
  assert.equal(accepted(spec, "-2"), -2);
  for (const text of ["", " ", "2.01", "-9", "one", "NaN", "Infinity", "1;2"]) assert.equal(accepted(spec, text), undefined, text);
  const steps = { name: "step", label: "step", kind: "steps", value: 0, last: 8 };
  assert.equal(accepted(steps, "8"), 8);
  assert.equal(accepted(steps, "9"), undefined);
  const toggle = { name: "t", label: "t", kind: "toggle", value: false };
  assert.deepEqual(["1", "0", "true"].map((t) => accepted(toggle, t)), [true, false, undefined]);
  const choice = { name: "c", label: "c", kind: "choice", value: "a", options: [["a", "A"], ["b", "B"]] };
  assert.deepEqual(["b", "A", "__proto__"].map((t) => accepted(choice, t)), ["b", undefined, undefined]);
});

test("a shared address comes back as it was", () => {
  const link = shareLink("https://example.org/book/01.html?old=1#somewhere", "neuron", { w1: -0.5, origin: true, kind: "a b&c" });
  const { figure, values } = linked(new URL(link).search);
  assert.equal(figure, "neuron");
  assert.deepEqual(values, { w1: "-0.5", origin: "1", kind: "a b&c" });
  assert.equal(new URL(link).hash, "#figure-neuron");
  assert.equal(linked(""), null);
  assert.equal(linked("?highlight=word"), null);
});

test("what an address asks in vain is told, with the control's label", () => {
  const specs = [{ name: "w", label: "weight", kind: "slider", value: 1, min: -2, max: 2, step: 0.1 }];
  assert.deepEqual(taken(specs, { w: "1.5" }), { values: { w: 1.5 }, note: "" });
  const bad = taken(specs, { w: "7", v: "1" });
  assert.deepEqual(bad.values, {});
  assert.match(bad.note, /weight = 7; v, which this figure does not have\.$/);
  assert.ok(taken(specs, { w: "9".repeat(5000) }).note.length < 300);
});

test("sliders snap to their steps and keep to their ends", () => {
  const spec = { min: -6, max: 6, step: 0.1 };
  assert.equal(snapped(spec, 0.349), 0.3);
  assert.equal(snapped(spec, -99), -6);
  assert.equal(snapped(spec, 99), 6);
  assert.equal(snapped({ last: 8 }, 3.6), 4);
  assert.equal(snapped({ min: 0, max: 1, step: 0.3 }, 1), 0.9);
});

test("a guess is judged when the answer is open", () => {
  assert.equal(said("", "a", true), "");
  assert.match(said("b", "a", false), /^Your prediction is noted/);
  assert.match(said("a", "a", true), /so it is/);
  assert.match(said("b", "a", true), /It is “a”/);
});

test("a map runs from the upper left corner, strongest where the function is 1", () => {
  const map = strengths((x, y) => +(x > 0 && y > 0), [-1, 1], [-1, 1], 2);
  assert.deepEqual([...map], [0, 255, 0, 0]);
  assert.deepEqual([...strengths((x) => x, [0, 1], [0, 1], 2)], [64, 191, 64, 191]);
});

test("neurons of a column stand one under the other, columns from left to right", () => {
  const at = places([2, 3, 1], 360, 270);
  assert.deepEqual(at.map((column) => column.length), [2, 3, 1]);
  assert.ok(at[0][0][0] < at[1][0][0] && at[1][0][0] < at[2][0][0]);
  assert.ok(at[1][0][1] < at[1][1][1] && at[1][1][1] < at[1][2][1]);
  assert.equal(at[2][0][1], at[1][1][1]);
});

test("seeded chance: even, without a link to what comes next or to the next seed, and the same again", () => {
  const take = (seed, n) => { const random = seeded(seed); return Array.from({ length: n }, () => random()); };
  const a = take(1, 20000), b = take(2, 20000), mean = (list) => list.reduce((x, y) => x + y, 0) / list.length;
  const linked = (x, y) => mean(x.map((v, i) => (v - 0.5) * (y[i] - 0.5))) * 12;
  assert.deepEqual(take(7, 5), take(7, 5));
  assert.ok(a.every((v) => v > 0 && v < 1));
  assert.ok(Math.abs(mean(a) - 0.5) < 0.01 && Math.abs(mean(a.map((v) => (v - 0.5) ** 2)) - 1 / 12) < 0.002);
  for (const other of [b, a.slice(1).concat(a[0]), take(3, 20000)]) assert.ok(Math.abs(linked(a, other)) < 0.03, linked(a, other));
});
