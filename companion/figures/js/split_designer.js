// People seen several times: four ways to part the examples, what each scores, and what is right in use.
import { columns, controls, fact, fmt, h, key, marker, panel, plot, plural, put, root, s, seeded, short, status } from "./kit.js";

/** @typedef {{ who: number, time: number, has: boolean, at: number[] }} Case */
/** @typedef {{ people: number, visits: number, has: number, signal: number, noise: number, asked: number }} World  how many, and how strong */

const bell = (draw) => 2 * (draw() + draw() + draw() - 1.5);
const styles = (draw, n) => Array.from({ length: n }, () => [bell(draw), bell(draw)]);

/**
 * When somebody is seen, from 0 to 1.
 * @param {World} world
 */
export const timeOf = ({ people, visits }, who, visit) => (visit + who * 7 % people / people) / visits;

// Two measurements: the first tells what is asked for; both carry what the person and the quarter add, and noise.
function measured({ signal, noise }, who, time, has, own, quarter, how, draw) {
  const [one, two] = own.map((v, i) => how.person * v + how.quarter * quarter[i] + noise * bell(draw));
  return { who, time, has, at: [signal * +has + one, two] };
}

/**
 * The examples that there are, person by person.
 * @param {World} world
 * @param {number} repeat
 * @param {{ person: number, quarter: number }} how
 * @returns {Case[]}
 */
export function listed(world, repeat, how) {
  const draw = seeded(3 * repeat), quarters = styles(draw, world.visits + 1), people = styles(draw, world.people);
  return Array.from({ length: world.people * world.visits }, (_, i) => {
    const who = Math.floor(i / world.visits), visit = i % world.visits;
    return measured(world, who, timeOf(world, who, visit), who < world.has, people[who], quarters[visit], how, draw);
  });
}

/**
 * Examples that nobody has yet: of new people, of the same ones later, or both.
 * @param {World} world
 * @param {number} repeat
 * @param {string} use
 * @param {{ person: number, quarter: number }} how
 * @returns {Case[]}
 */
export function inUse(world, repeat, use, how) {
  const old = seeded(3 * repeat), quarters = styles(old, world.visits + 1), people = styles(old, world.people), draw = seeded(3 * repeat + (use === "new" ? 1 : 2));
  return Array.from({ length: world.asked }, (_, i) => {
    const who = i % world.people, own = use === "later" ? people[who] : styles(draw, 1)[0], part = (i + 0.5) / world.asked, time = use === "new" ? part : 1 + part / world.visits;
    return measured(world, who, time, who < world.has, own, quarters[Math.floor(time * world.visits)], how, draw);
  });
}

/**
 * The k known cases nearest to a place, of equally near ones the first.
 * @param {Case[]} known
 * @param {number[]} at
 * @param {number} k
 */
export function nearest(known, [x, y], k) {
  const best = /** @type {[number, Case][]} */ ([]);
  for (const one of known) {
    const [u, v] = one.at, d = (u - x) * (u - x) + (v - y) * (v - y);
    if (best.length === k && best[k - 1][0] <= d) continue;
    let i = best.length;
    while (i && best[i - 1][0] > d) i--;
    best.splice(i, 0, [d, one]);
    best.length = Math.min(best.length, k);
  }
  return best.map(([, one]) => one);
}

/**
 * For each case whether most of its k nearest say what is true.
 * @param {Case[]} known
 * @param {Case[]} asked
 * @param {number} k
 */
export const hits = (known, asked, k) => asked.map((c) => (2 * nearest(known, c.at, k).filter((n) => n.has).length > k) === c.has);

/**
 * Which rows are in the test part, from hexadecimal digits of four rows each.
 * @param {string} text
 */
export const unpacked = (text) => [...text].flatMap((digit) => [8, 4, 2, 1].map((bit) => Boolean(parseInt(digit, 16) & bit)));

const share = (list) => list.filter(Boolean).length / list.length, mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;

function render({ model, el }) {
  const frame = root(el), /** @type {any} */ world = Object.fromEntries(["people", "visits", "has", "signal", "noise", "asked"].map((k) => [k, model.get(k)])), splits = Object.fromEntries(Object.entries(model.get("splits")).map(([way, all]) => [way, all.map(unpacked)])), ways = Object.keys(splits), repeats = splits[ways[0]].length;
  const C = controls(frame, model, { update, show: { k: (v) => `${v}`, repeat: (v) => `no. ${v}` } }), /** @type {any} */ S = C.S, say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["worth", "score", "both", "own"].map((k) => [k, h("dd", { class: `nfig-${k}` })]));
  const names = Object.fromEntries(C.spec("way").options);
  let /** @type {any} */ at = {};

  const dot = (x, y, c, test) => marker(x, y, test ? "nfig-dot-b" : "nfig-dot-a", test ? 1 : 0, test ? 4.4 : 3);
  const who = plot(frame, { x: [-0.02, 1.02], y: [-1.2, world.people + 1.2], aspect: 0.92, xticks: 3, yticks: [[world.has / 2 - 1, "yes"], [(world.has + world.people) / 2 + 1, "no"]], xlabel: "time", ylabel: "one line a person: has it?", label: "" }, (p) => {
    const high = (c) => p.Y(c.who < world.has ? c.who - 0.5 : c.who + 1.5);
    for (const w of at.both) p.area.append(s("path", { class: "nfig-plumb", style: "opacity:.5", d: `M0 ${high({ who: w })}H${p.w}` }));
    p.area.append(...at.rows.map((c, i) => dot(p.X(c.time), high(c), c, at.test[i])));
  });
  const plane = plot(frame, { x: [-3, 5], y: [-3, 3], aspect: 0.62, xticks: 4, yticks: 3, xlabel: "first measurement", ylabel: "second measurement", label: "" }, (p) => {
    const place = (c) => [p.X(c.at[0]), p.Y(c.at[1])];
    at.asked.forEach((c, i) => { const [x, y] = place(c), [u, v] = place(at.near[i]); p.area.append(s("path", { d: `M${x} ${y}L${u} ${v}`, class: at.near[i].who === c.who ? "nfig-curve-b" : "nfig-tangent", style: "stroke-width:1.4" })); });
    p.area.append(...at.rows.map((c, i) => dot(...place(c), c, at.test[i])), ...at.asked.filter((_, i) => !at.right[i]).map((c) => { const [x, y] = place(c); return s("circle", { cx: x, cy: y, r: 8, class: "nfig-wrong" }); }));
  });
  const score = plot(frame, { x: [0.3, 1.02], y: [-0.6, 3.6], aspect: 0.36, xticks: 4, yticks: [], xlabel: "share right", ylabel: "score of each split; the line: in use", label: "" }, (p) => {
    const W = p.X(at.worth);
    ways.forEach((way, j) => {
      const y = p.Y(3 - j), own = way === S.way;
      if (at.scores[way]) p.area.append(s("path", { class: "nfig-zero", d: `M0 ${y}H${p.w}` }), ...at.scores[way].map((v, r) => s("circle", { cx: p.X(v), cy: y + (r % 3 - 1) * 3, r: 3, class: "nfig-dot-b", style: `opacity:${own ? 0.9 : 0.45}` })),
        s("path", { d: `M${p.X(mean(at.scores[way]))} ${y - 9}v18`, style: `stroke:var(--nf-fg);stroke-width:${own ? 4 : 2}` }), s("text", { x: 4, y: y - 5, class: "nfig-under", style: "text-anchor:start" }, `${names[way]}: ${fmt(mean(at.scores[way]))}`));
    });
    p.area.append(s("path", { d: `M${W} 0V${p.high}`, class: "nfig-curve-a" }));
  });

  function update() {
    const deals = Array.from({ length: repeats }, (_, i) => listed(world, i + 1, S)), parted = (rows, test) => [rows.filter((_, i) => !test[i]), rows.filter((_, i) => test[i])];
    const scores = Object.fromEntries(ways.filter((way) => S.all || way === S.way).map((way) => [way, deals.map((rows, r) => { const [known, asked] = parted(rows, splits[way][r]); return share(hits(known, asked, S.k)); })]));
    const worths = deals.map((rows, r) => share(hits(rows, inUse(world, r + 1, S.use, S), S.k))), worth = mean(worths);
    const rows = deals[S.repeat - 1], test = splits[S.way][S.repeat - 1], [known, asked] = parted(rows, test), right = hits(known, asked, S.k), near = asked.map((c) => nearest(known, c.at, 1)[0]), own = near.filter((n, i) => n.who === asked[i].who).length;
    const both = [...new Set(asked.map((c) => c.who))].filter((w) => known.some((c) => c.who === w)), mine = scores[S.way][S.repeat - 1], gap = mean(scores[S.way]) - worth, use = C.label("use");
    at = { rows, test, asked, near, right, both, scores, worth };
    put(head, mine, `${fmt(mine)} of the test part is right`);
    put(out.worth, worth, fmt(worth));
    put(out.both, both.length, `${both.length} of ${world.people}`);
    put(out.own, own, `${own} of ${asked.length}`);
    put(out.score, mean(scores[S.way]));
    out.score.dataset.all = Object.values(scores).map(mean).join(" ");
    out.worth.dataset.now = worths[S.repeat - 1];
    say.textContent = `Repeat ${S.repeat}, split ${names[S.way]}: ${plural(both.length, "person stands", "people stand")} on both sides, and ${own} of ${asked.length} test examples lie nearest to one of the same person. ${fmt(mine)} of them are right` + (S.k > 1 ? `, by a vote of ${S.k} neighbours. ` : ". ") +
      `In the mean of ${repeats} splits the score is ${fmt(mean(scores[S.way]))}; on ${use} ${fmt(worth)} ${Math.abs(gap) < 0.05 ? "is right: the score foretells it" : `is right: the score ${gap > 0 ? "flatters" : "is too low"} by ${fmt(Math.abs(gap))}`}.` +
      ` A person adds ${short(S.person)} of their own, a season ${short(S.quarter)}.` + (S.all ? ` Score ${ways.map((way) => `${names[way]} ${fmt(mean(scores[way]))}`).join(", ")}.` : "");
    who.svg.setAttribute("aria-label", `Who is where, split ${names[S.way]}: ${plural(asked.length, "test example")}, ${plural(both.length, "person", "people")} on both sides`);
    plane.svg.setAttribute("aria-label", `The two measurements: ${own} of ${asked.length} test examples lie nearest to one of the same person, ${right.filter((v) => !v).length} are wrong`);
    score.svg.setAttribute("aria-label", `Score of ${repeats} splits ${names[S.way]}, ${fmt(mean(scores[S.way]))} in the mean; in use ${fmt(worth)}`);
    const xs = rows.map((c) => c.at[0]), ys = rows.map((c) => c.at[1]);
    [plane.x, plane.y] = [xs, ys].map((v) => [Math.min(...v) - 0.3, Math.max(...v) + 0.3]);
    for (const p of [who, plane, score]) p.draw();
  }

  el.append(columns(h("div", {}, who.node, key(["nfig-ink-a", "●", "training part"], ["nfig-ink-b", "▲", "test part"], ["", "┄", "on both sides"]), plane.node, key(["nfig-ink-b", "━", "nearest is the same person"], ["nfig-ink-bad", "○", "wrong"]), score.node, key(["nfig-ink-b", "●", "one split"], ["", "┃", "mean"], ["nfig-ink-a", "┃", "in use"])),
    panel(C.rows.way, C.rows.use, C.rows.person, C.rows.quarter, head, C.rows.k, C.rows.repeat, C.rows.all,
      h("dl", { class: "nfig-facts" }, fact("right in use", out.worth), fact(`score, mean of ${repeats}`, out.score), fact("on both sides", out.both), fact("nearest is oneself", out.own)))), say, C.foot);
  update();
  return frame.off;
}
export default { render };
