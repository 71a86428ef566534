import assert from "node:assert/strict";
import test from "node:test";
import { hits, inUse, listed, nearest, timeOf, unpacked } from "../../../companion/figures/js/split_designer.js";

const world = { people: 30, visits: 4, has: 12, signal: 1.5, noise: 0.15, asked: 120 };
const how = { person: 0.8, quarter: 0.3 };
const one = (x, y, has, who = 0) => ({ who, time: 0, has, at: [x, y] });

test("the nearest come in their order, of equally near ones the first", () => {
  const known = [one(3, 0, true), one(1, 0, false), one(-1, 0, true), one(0, 2, true)];
  assert.deepEqual(nearest(known, [0, 0], 3), [known[1], known[2], known[3]]);
  assert.deepEqual(nearest(known, [0, 0], 1), [known[1]]);
  assert.deepEqual(nearest(known, [0, 0], 9).length, 4);
});

test("most of the neighbours decide", () => {
  const known = [one(0, 0, false), one(1, 0, true), one(1.1, 0, true)];
  assert.deepEqual(hits(known, [one(0.1, 0, false), one(0.1, 0, true)], 1), [true, false]);
  assert.deepEqual(hits(known, [one(0.1, 0, false), one(0.1, 0, true)], 3), [false, true]);
});

test("rows are unpacked from the first to the last", () => {
  assert.deepEqual(unpacked("84").map(Number), [1, 0, 0, 0, 0, 1, 0, 0]);
  assert.equal(unpacked("f".repeat(30)).length, 120);
});

test("a list has every person in each quarter, and nobody at the same time as another", () => {
  const cases = listed(world, 3, how);
  assert.equal(cases.length, 120);
  assert.deepEqual(cases.map((c) => Math.floor(4 * c.time)), cases.map((_, i) => i % 4));
  assert.equal(new Set(cases.map((c) => c.time)).size, 120);
  assert.deepEqual([...new Set(cases.filter((c) => c.has).map((c) => c.who))], [...Array(12).keys()]);
  assert.equal(timeOf(world, 0, 2), 0.5);
});

test("repeats differ, and the same repeat is the same", () => {
  assert.deepEqual(listed(world, 3, how), listed(world, 3, how));
  assert.notDeepEqual(listed(world, 3, how), listed(world, 4, how));
});

test("without people and quarters only noise is left in the second measurement", () => {
  const still = { person: 0, quarter: 0 };
  for (const use of ["new", "later", "both"]) {
    const cases = inUse(world, 2, use, still);
    assert.equal(cases.length, 120);
    assert.ok(cases.every((c) => Math.abs(c.at[1]) <= 0.45 && (c.time < 1) === (use === "new")));
    assert.equal(hits(listed(world, 2, still), cases, 1).filter(Boolean).length, 120);
  }
});
