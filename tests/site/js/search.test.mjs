import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const context = vm.createContext({});
vm.runInContext(readFileSync(new URL("../../../site/search.js", import.meta.url), "utf8"), context);
const { excerpt, sectionFor, firstOf } = context.siteSearch;

test("a word is found where a word begins, not inside one", () => {
  assert.equal(firstOf("unbiased, then Bias", ["bias"]), 15);
  assert.equal(firstOf("unbiased", ["bias"]), -1);
  assert.equal(firstOf("a rate of learning", ["learning", "rate"]), 2);
});

test("an excerpt is cut between words and says where it was cut", () => {
  const text = `${"first ".repeat(40)}target ${"last ".repeat(80)}`.trim();
  const found = excerpt(text, ["target"]);
  assert.match(found, /^… first .*first target last .*last …$/);
  assert.ok(found.length < 260, `${found.length}`);
});

test("a short text is shown whole", () => {
  assert.equal(excerpt("All of it.", ["it"]), "All of it.");
  assert.equal(excerpt("", ["it"]), "");
});

test("words that stand together win over words apart", () => {
  const text = `rate ${"of ".repeat(200)}the learning rate ${"of ".repeat(200)}`;
  assert.match(excerpt(text, ["learning", "rate"]), /the learning rate/);
});

test("the section is the one asked for, else the one with most of the words", () => {
  const sections = [["", "Page", "nothing"], ["one", "One", "learning alone, and a rate"], ["two", "Two", "the learning rate"]];
  assert.equal(sectionFor(sections, "one", ["rate"])[0], "one");
  assert.equal(sectionFor(sections, "", ["learning", "rate"])[0], "two");
  assert.equal(sectionFor(sections, "gone", ["unknown"])[0], "");
});
