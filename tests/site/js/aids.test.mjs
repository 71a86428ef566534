import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const folder = new URL("../../../companion/figures/js/", import.meta.url);
const book = new URL("../../../book/", import.meta.url);
const load = (name) => import(new URL(`${name}.js`, folder));
const near = (a, b, tol = 1e-6) => assert.ok(Math.abs(a - b) <= tol, `${a} against ${b}`);
const NOON = new Date(2022, 11, 29, 12, 30).getTime(), MINUTE = 60e3, DAY = 1440 * MINUTE;

// A storage as the browser has it, in a Map; `full` makes every write fail.
function storage(entries = {}, full = false) {
  const map = new Map(Object.entries(entries));
  return { map, get length() { return map.size; }, key: (i) => [...map.keys()][i], getItem: (k) => map.get(k) ?? null,
    removeItem: (k) => map.delete(k), setItem(k, v) { if (full) throw new Error("QuotaExceededError"); map.set(k, v); } };
}

// ---- what is kept

test("store: what is written is read, by another page too", async () => {
  const { openStore } = await load("kit/store"), disk = storage(), heard = [];
  const store = openStore(() => disk), off = store.listen((name) => heard.push(name));
  store.write("objectives.01", ["weighted-sum"]);
  store.write("quiz.02", { best: 3, of: 10, rounds: 1, missed: ["a"] });
  assert.deepEqual(openStore(() => disk).read("objectives.01"), ["weighted-sum"]);
  assert.deepEqual([...disk.map.keys()], ["neurons.v1.objectives.01", "neurons.v1.quiz.02"]);
  assert.deepEqual(heard, ["objectives.01", "quiz.02"]);
  assert.equal(store.note, "");
  off();
  store.write("name", "Ada");
  assert.equal(heard.length, 2);
});

test("store: names and values of no known kind are refused when written", async () => {
  const { openStore } = await load("kit/store"), store = openStore(() => storage());
  for (const [name, value] of [["colour", "red"], ["quiz", {}], ["name.01", "Ada"], ["name", 3], ["objectives.01", "all"], ["quiz.01", { best: 11, of: 10, rounds: 1, missed: [] }],
    ["cards.01", { a: { due: "tomorrow" } }], ["speed", 9], ["toString", 1], ["constructor.01", 1]]) {
    assert.throws(() => store.write(name, value), /^Error: store: .* expected a value of its kind/, name);
  }
});

test("store: a corrupted or foreign value is ignored, named, and mended by the next write", async () => {
  const { openStore } = await load("kit/store");
  for (const bad of ["{oops", "null", "[1,2]", "\"x\"", "{\"best\":-1,\"of\":3,\"rounds\":1,\"missed\":[]}"]) {
    const disk = storage({ "neurons.v1.quiz.01": bad, theme: "dark" }), store = openStore(() => disk);
    assert.equal(store.read("quiz.01"), undefined, bad);
    assert.equal(store.note, "What was kept for the practice test of chapter 01 could not be read and is left aside.");
    store.write("quiz.01", { best: 1, of: 3, rounds: 1, missed: [] });
    assert.equal(store.note, "");
    assert.equal(store.read("quiz.01").best, 1);
    store.erase();
    assert.deepEqual([...disk.map.keys()], ["theme"], "what is not ours stays");
  }
});

test("store: works in memory and says so where the browser keeps nothing", async () => {
  const { openStore } = await load("kit/store");
  const blocked = openStore(() => { throw new Error("SecurityError"); });
  assert.match(blocked.note, /keeps nothing/);
  blocked.write("name", "Ada");
  assert.equal(blocked.read("name"), "Ada");
  const full = openStore(() => storage({ "neurons.v1.name": "\"Eve\"" }, true));
  assert.equal(full.note, "");
  assert.equal(full.read("name"), "Eve");
  full.write("name", "Ada");
  assert.match(full.note, /store is full or closed/);
  assert.equal(full.read("name"), "Ada");
});

test("store: an export comes back whole, and a file that does not fit is told in a sentence", async () => {
  const { openStore } = await load("kit/store"), from = openStore(() => storage()), to = openStore(() => storage());
  from.write("name", "Ada");
  from.write("objectives.01", ["a"]);
  const file = from.exported(NOON);
  assert.equal(to.imported(file), "Taken from the file: 2 entries.");
  assert.deepEqual(JSON.parse(to.exported(NOON)), JSON.parse(file));
  assert.match(to.imported("{"), /^Nothing was taken: the file is not JSON/);
  assert.match(to.imported("[]"), /^Nothing was taken: the file is not an export of this course/);
  assert.match(to.imported(file.replace('"version": 1', '"version": 7')), /^Nothing was taken: the file has version 7, this page reads version 1/);
  const mixed = JSON.parse(file);
  Object.assign(mixed.kept, { "quiz.01": { best: 99 }, "evil<b>": 1 });
  assert.equal(to.imported(JSON.stringify(mixed)), "Taken from the file: 2 entries; 2 entries did not fit and were left out: quiz.01, evil<b>.");
  assert.equal(to.read("quiz.01"), undefined);
  to.erase();
  assert.deepEqual(to.names(), []);
});

// ---- flashcards

test("flashcards: the library gives the intervals that its own tests publish", async () => {
  const { answersFor } = await load("flashcards");
  let kept, now = NOON;
  const days = [3, 3, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3].map((grade) => {
    ({ kept } = answersFor(kept, now)[grade - 1]);
    now = kept.due;
    return kept.scheduled_days;
  });
  assert.deepEqual(days, [0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21]);
});

test("flashcards: a new card and a review on time follow FSRS 6 by hand", async () => {
  const { answersFor } = await load("flashcards");
  assert.deepEqual(answersFor(undefined, NOON).map((a) => [a.name, a.grade, a.wait]),
    [["Again", 1, "1 minute"], ["Hard", 2, "6 minutes"], ["Good", 3, "10 minutes"], ["Easy", 4, "8 days"]]);
  const easy = answersFor(undefined, NOON)[3].kept;
  assert.equal(easy.due, NOON + 8 * DAY);
  near(easy.stability, 8.2956);
  // The published weights that matter here: stability after recall, and the shape of the forgetting curve.
  const [w8, w9, w10, decay] = [1.8722, 0.1666, 0.796, 0.1542], factor = 0.9 ** (-1 / decay) - 1;
  const recall = (1 + factor * 8 / 8.2956) ** -decay;
  const grown = 8.2956 * (1 + Math.exp(w8) * (11 - easy.difficulty) * 8.2956 ** -w9 * (Math.exp(w10 * (1 - recall)) - 1));
  const good = answersFor(easy, NOON + 8 * DAY)[2].kept;
  near(good.stability, grown, 1e-4);
  assert.equal(good.scheduled_days, Math.round(grown), "at a wish of 0.9 the interval is the stability");
});

test("flashcards: a clock that was set back throws nothing, and what is kept fits the store", async () => {
  const { answersFor } = await load("flashcards"), { openStore } = await load("kit/store"), store = openStore(() => storage());
  const first = answersFor(undefined, NOON)[2].kept;
  for (const { kept } of answersFor(first, NOON - 5 * DAY)) {
    assert.ok(kept.due > NOON);
    store.write("cards.01", { card: kept });
    assert.deepEqual(store.read("cards.01").card, kept);
  }
});

test("flashcards: due ones come first, then new ones, then those whose minutes are nearly over", async () => {
  const { plan } = await load("flashcards"), card = (due, state) => ({ due, state });
  const met = { tonight: card(NOON + 6 * 60 * MINUTE, 2), late: card(NOON - DAY, 2), soon: card(NOON + 5 * MINUTE, 1), now: card(NOON - 1, 1),
    hours: card(NOON + 60 * MINUTE, 1), far: card(NOON + 3 * DAY, 2) };
  const found = plan(["new", ...Object.keys(met)], (id) => met[id], NOON);
  assert.deepEqual(found.queue, ["late", "now", "tonight", "new", "soon"]);
  assert.deepEqual([found.due, found.fresh, found.learned, found.next], [5, 1, 3, NOON - DAY]);
  assert.deepEqual(plan(["new", "far"], (id) => met[id], NOON, true).queue, []);
  assert.equal(plan(["new", "far"], (id) => met[id], NOON, true).fresh, 1);
});

test("flashcards: spans in words", async () => {
  const { spell } = await load("flashcards");
  assert.deepEqual([0, 1, 59, 60, 600, 1440, 30 * 1440, 31 * 1440, 400 * 1440].map((m) => spell(m * MINUTE)),
    ["1 minute", "1 minute", "59 minutes", "1 hour", "10 hours", "1 day", "30 days", "1 month", "1.1 years"]);
});

// ---- quiz, matching, objectives, progress

test("quiz: the count in words", async () => {
  const { verdict } = await load("quiz");
  assert.match(verdict(0, 0, 10), /^10 questions/);
  assert.equal(verdict(1, 2, 10, 1), "1 of 2 right so far, 8 to go.");
  assert.equal(verdict(3, 4, 10, 3), "3 of 4 right so far, 6 to go. 3 in a row.");
  assert.equal(verdict(10, 10, 10), "10 of 10 right. All of them.");
  assert.match(verdict(3, 10, 10), /^3 of 10 right\. Read/);
});

test("quiz: a mix keeps every option and is never the order before", async () => {
  const { remixed, shuffled } = await load("kit"), list = ["a", "b", "c", "d"];
  for (let n = 0; n < 200; n++) {
    const next = remixed(list);
    assert.deepEqual([...next].sort(), list);
    assert.notDeepEqual(next, list);
  }
  assert.deepEqual(shuffled(list, () => 0), ["b", "c", "d", "a"]);
  assert.deepEqual(remixed(list, () => 0.999), ["b", "c", "d", "a"]);
  assert.deepEqual(remixed(["a"]), ["a"]);
});

test("quiz: the result by objective names what to read again, once", async () => {
  const { byObjective } = await load("quiz");
  const items = [["p", "x", "s1"], ["q", "x", "s1"], ["r", "y", "s2"], ["s", "z", "s3"]].map(([id, objective, section]) => ({ id, objective, section }));
  const found = byObjective([..."xyz"].map((id) => ({ id, text: id })), items, new Map([["p", false], ["q", false], ["r", true]]));
  assert.deepEqual(found, [{ id: "x", text: "x", asked: 2, right: 0, read: ["s1"] }, { id: "y", text: "y", asked: 1, right: 1, read: [] }]);
});

test("matching: a round takes pairs that were shown least, and mixes them", async () => {
  const { draw, told } = await load("matching"), { remixed } = await load("kit");
  for (let n = 0; n < 100; n++) {
    assert.deepEqual(draw([0, 1, 0, 2, 1, 0, 1]).slice(0, 3).sort(), [0, 2, 5]);
    const order = remixed([4, 2, 7]);
    assert.deepEqual([...order].sort(), [2, 4, 7]);
    assert.notDeepEqual(order, [4, 2, 7]);
  }
  assert.equal(draw([0, 0]).length, 2);
  const now = { term: "bias", streak: 2, left: 1, best: 4 };
  assert.equal(told(true, now), "Right: bias. 2 right in a row. 1 pair left.");
  assert.equal(told(true, { ...now, left: 0 }), "Right: bias. 2 right in a row. That was the last pair; your longest streak is 4.");
  assert.match(told(false, now), /do not belong together/);
});

test("objectives and progress: counts in words", async () => {
  const { tally } = await load("objectives"), { standing } = await load("profile");
  assert.deepEqual([0, 2, 6].map((n) => tally(n, 6)), ["Nothing is ticked yet.", "2 of 6 ticked.", "All 6 are ticked."]);
  const chapter = { id: "01", objectives: ["a", "b"], questions: 3, cards: ["x", "y", "z"] };
  const kept = { "objectives.01": ["a", "gone"], "quiz.01": { best: 2, of: 3 }, "cards.01": { x: { due: NOON - 1 }, y: { due: NOON + 3 * DAY }, gone: { due: 0 } } };
  assert.deepEqual(standing(chapter, (n) => kept[n], NOON), { objectives: "1 of 2", quiz: "2 of 3", due: 1, met: "2 of 3" });
  assert.deepEqual(standing(chapter, () => undefined, NOON), { objectives: "0 of 2", quiz: "not yet", due: 0, met: "0 of 3" });
});

// ---- listening

test("speech: two voices of the language, local ones first", async () => {
  const { voicesFor } = await load("kit/speech");
  const v = (name, lang, localService) => ({ name, lang, localService });
  const all = [v("de", "de-DE", true), v("far", "en-US", false), v("a", "en-GB", true), v("b", "en_US", true)];
  assert.deepEqual(voicesFor(all, "en").map((x) => x.name), ["a", "b"]);
  assert.deepEqual(voicesFor(all.slice(0, 3), "en-US").map((x) => x.name), ["far", "a"]);
  assert.deepEqual(voicesFor(all, "fr"), []);
});

test("speech: a text falls into its sentences, whole and in order", async () => {
  const { sentences } = await load("kit/speech"), cut = (t) => sentences(t).map(([a, b]) => t.slice(a, b));
  assert.deepEqual(cut("One is 3.5 wide. Is it? “Yes.” So be it!"), ["One is 3.5 wide.", "Is it?", "“Yes.”", "So be it!"]);
  assert.deepEqual(cut("Use e.g. ReLU. Done"), ["Use e.g. ReLU.", "Done"]);
  assert.deepEqual(cut("  no end  "), ["no end"]);
  assert.deepEqual(cut(""), []);
  const long = "A clause " + "that goes on ".repeat(15);
  assert.deepEqual(cut(`${long}: and ends. B`), [`${long}:`, "and ends.", "B"]);
});

test("dialogue: sentences know their turn", async () => {
  const { pieces } = await load("dialogue");
  assert.deepEqual(pieces(["One. Two.", "Three."]).map(({ turn, text }) => [turn, text]), [[0, "One."], [0, "Two."], [1, "Three."]]);
});

test("listener: what is not read is said", async () => {
  const { skipped } = await load("listener");
  assert.equal(skipped("code", 6), "A piece of code of 6 lines is here.");
  assert.equal(skipped("folded", 1), "A folded piece of code of 1 line is here.");
  assert.equal(skipped("output", 2), "Its output of 2 lines is here.");
});

test("formulas: fractions, powers, indices, sums, Greek, functions, vectors, hats, transposes, relations", async () => {
  const { spoken } = await load("parts/spoken");
  for (const [tex, words] of [
    ["\\frac{1}{2}", "one half"], ["\\tfrac12", "one half"], ["\\frac{R}{\\gamma}", "R over gamma"],
    ["\\frac{1}{1 + e^{-z}}", "the fraction 1, over 1 plus e to the power of minus z, end of fraction"],
    ["\\frac{\\partial p_i}{\\partial z_j}", "the partial derivative of p sub i with respect to z sub j"],
    ["x^2 + y^3", "x squared plus y cubed"], ["2^{10}", "2 to the power of 10"], ["w_{t+1}", "w sub t plus 1"], ["\\delta_{ij}", "delta sub i j"],
    ["\\sum_{i=1}^{D} w_i x_i", "the sum over i from 1 to D of w sub i x sub i"], ["\\prod_k a_k", "the product over k of a sub k"],
    ["\\max_j z_j", "the largest over j of z sub j"], ["\\Phi'(z)", "capital phi prime of z"], ["\\sigma(z)", "sigma of z"],
    ["\\sigma(1-\\sigma)", "sigma open bracket 1 minus sigma close bracket"], ["\\operatorname{softmax}(z)_i", "softmax of z sub i"],
    ["\\tanh^2(z)", "tanh squared of z"], ["w \\cdot x", "w dot x"], ["3 \\cdot 4", "3 times 4"], ["\\hat y - \\bar x", "y hat minus x bar"],
    ["\\tilde{x}", "x tilde"], ["W^T x", "W transposed x"], ["A^\\top", "A transposed"], ["\\lVert w \\rVert", "the length of w"], ["|z|", "the absolute value of z"],
    ["a \\le b", "a is at most b"], ["z \\ge 0", "z is at least 0"], ["p \\approx 0.5", "p is about 0.5"], ["w \\leftarrow w", "w becomes w"], ["x \\in \\mathbb{R}^n", "x in the real numbers to the power of n"],
    ["[0, \\infty)", "the interval from 0 to infinity"], ["(w_1, w_2)", "open bracket w sub 1, w sub 2 close bracket"],
    ["\\begin{cases} 1 & z \\ge 0\\\\ 0 & z < 0\\end{cases}", "1 if z is at least 0; 0 if z is less than 0"],
    ["\\begin{pmatrix} 2 & 1 \\\\ 1 & 2 \\end{pmatrix}", "the matrix with rows 2, 1; 1, 2"], ["\\underbrace{W_2 W_1}_{W} x", "W sub 2 W sub 1, which is W, x"],
    ["\\text{fire when } v", "fire when v"], ["\\sqrt{M} R", "the square root of M R"], ["t = -1", "t equals minus 1"],
  ]) assert.equal(spoken(tex), words, tex);
});

test("formulas: a half-written or unknown one gives words and throws nothing", async () => {
  const { spoken, unknownIn } = await load("parts/spoken");
  for (const tex of ["", "{", "}", "x^", "x_", "\\frac{1}", "\\frac", "\\sqrt", "\\left(", "^2", "\\begin{cases}", "(", "\\text", "\\hat", "&", "\\\\", "|", "\\foo x"]) {
    assert.equal(typeof spoken(tex), "string", tex);
    assert.doesNotMatch(spoken(tex), /undefined|\\|[{}^_$&]/, tex);
  }
  assert.equal(spoken("\\foo x"), "foo x");
  assert.deepEqual(unknownIn("\\foo \\frac12 \\alpha"), ["foo"]);
});

test("formulas: every one of the book gives words, by known commands, with no TeX left", async () => {
  const { spoken, unknownIn } = await load("parts/spoken");
  let count = 0;
  for (const name of readdirSync(book).filter((f) => f.endsWith(".ipynb"))) {
    const cells = JSON.parse(readFileSync(new URL(name, book), "utf-8")).cells.filter((c) => c.cell_type === "markdown");
    const text = cells.map((c) => c.source.join("")).join("\n\n").replace(/```[^]*?```|`[^`\n]*`/g, "");
    for (const [, block, inline] of text.matchAll(/\$\$([^]+?)\$\$|\$([^$\n]+)\$/g)) {
      const tex = block ?? inline, words = spoken(tex);
      count += 1;
      assert.deepEqual(unknownIn(tex), [], tex);
      assert.match(words, /[a-z0-9]/i, tex);
      assert.doesNotMatch(words, /[\\{}^_$&]|undefined|NaN|\bmathbb|\s{2}/, `${tex} => ${words}`);
    }
  }
  assert.ok(count > 150, `${count} formulas`);
});
