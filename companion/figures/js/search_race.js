// Three searches on a table of real trainings: a grid, chance, and a Gaussian process that asks for what promises most.
import { columns, controls, fact, fmt, h, key, panel, path, plot, plural, put, region, root, s, sci, seeded, short, shuffled, status } from "./kit.js";
import { belief } from "./parts/guess.js";

const SEEDS = 8, FIRST = 5;

/**
 * One repeat: which training each cell shows, and the order in which chance tries cells.
 * @param {number} repeat
 * @param {number} cells
 */
export function dealt(repeat, cells) {
  const draw = seeded(2 * repeat), show = Array.from({ length: cells }, () => Math.floor(draw() * SEEDS));
  return { show, order: shuffled([...show.keys()], draw) };
}

/**
 * The cells of a grid of m by m: one in each equal part of an axis, at one chance offset along each.
 * @param {number} repeat
 * @param {number} m
 * @param {number[]} counts
 */
export function gridOf(repeat, m, counts) {
  const draw = seeded(2 * repeat + 1), [xs, ys] = counts.map((count) => { const offset = draw(); return Array.from({ length: m }, (_, i) => Math.floor((i + offset) * count / m)); });
  return xs.flatMap((x) => ys.map((y) => x * counts[1] + y));
}

/**
 * What a Gaussian process tries, beginning as chance does.
 * @param {number[][]} places
 * @param {number[]} shown
 * @param {number[]} order
 * @param {number} trials
 * @param {number[][]} set  lengths and noises to choose from
 */
export function guided(places, shown, order, trials, set) {
  const tried = order.slice(0, Math.min(FIRST, trials));
  while (tried.length < trials) tried.push(belief(places, tried, tried.map((k) => shown[k]), set).next);
  return tried;
}

const NAMES = { grid: "the grid", random: "chance", gp: "the process" }, INK = { grid: "fg", random: "b", gp: "a" }, DASH = { grid: "2 5", random: "9 5", gp: "" };
const three = (v) => fmt(v, 3), log = (v) => Math.max(-1.15, Math.log10(v)), small = (v) => v.toExponential(0).replace("e-", "e−");

function render({ model, el }) {
  const frame = root(el), [rates, decays, set, chances] = ["rates", "decays", "set", "chances"].map((k) => model.get(k)), table = model.get("wrong").map((text) => text.split(" ").map((v) => v / 1e4)), counts = [rates.length, decays.length];
  const cell = (k) => [Math.floor(k / counts[1]), k % counts[1]], places = table.map((_, k) => cell(k).map((v, i) => v / (counts[i] - 1))), mean = table.map((all) => all.reduce((sum, v) => sum + v, 0) / SEEDS), least = Math.min(...mean);
  const C = controls(frame, model, { update, show: { repeat: (v) => `no. ${v}` } }), S = C.S, say = status(), head = h("output", { class: "nfig-big" });
  const out = Object.fromEntries([...Object.keys(NAMES), "worth", "rates", "chance"].map((k) => [k, h("dd", { class: `nfig-of-${k}` })]));
  let /** @type {any} */ at = {}, /** @type {any} */ deal = {};

  const rateTicks = rates.map((v, i) => [i, short(v)]).filter((_, i) => i % 4 === 0), shade = (v) => (0.06 + 0.84 * (log(v) - log(least)) / -log(least)).toFixed(4);
  const map = plot(frame, { x: [-0.5, counts[0] - 0.5], y: [-0.5, counts[1] - 0.5], aspect: 0.54, xticks: rateTicks, yticks: decays.map((v, j) => [j, small(v)]).filter((_, j) => j % 2 === 0), xlabel: "learning rate", ylabel: "weight decay", label: "" }, (p) => {
    const wide = p.w / counts[0], high = p.high / counts[1], now = at.tried.at(-1), most = at.now && Math.max(...at.now.promise), box = (k, gap, more) => s("rect", { x: p.X(cell(k)[0]) - wide / 2 + gap, y: p.Y(cell(k)[1]) - high / 2 + gap, width: wide - 2 * gap, height: high - 2 * gap, ...more });
    table.forEach((_, k) => {
      const [x, y] = [p.X(cell(k)[0]), p.Y(cell(k)[1])], seen = at.tried.includes(k), r = at.now ? 0.42 * high * Math.sqrt(Math.max(0, at.now.promise[k] / most)) : 0;
      if (seen || S.whole) p.area.append(box(k, 0, { class: "nfig-above", "fill-opacity": shade(seen ? at.shown[k] : mean[k]) }));
      if (seen) p.area.append(box(k, 2, { style: `fill:none;stroke:var(--nf-fg);stroke-width:${k === now ? 3.5 : 1.3}` }), s("path", { d: `M${x} ${p.high}v-6M0 ${y}h6`, style: "stroke:var(--nf-fg);stroke-width:3" }));
      else if (r > 1) p.area.append(s("circle", { cx: x, cy: y, r, class: "nfig-dot-b" }));
      if (k === at.best) p.area.append(...["--nf-bg);stroke-width:7", "--nf-fg);stroke-width:3"].map((ink) => s("path", { d: `M${x - 6} ${y}l5 5 8-10`, style: `fill:none;stroke:var(${ink}` })));
    });
  });
  const fall = plot(frame, { x: [0, 1], y: [-1.15, 0], aspect: 0.36, xticks: 5, yticks: [[-1, "0.1"], [log(0.3), "0.3"], [0, "1"]], xlabel: "trial", ylabel: "share wrong, best so far", label: "" }, (p) => {
    for (const [name, best] of Object.entries(at.race)) {
      const steps = best.flatMap((v, t) => [[t + 1, log(t ? best[t - 1] : v)], [t + 1, log(v)]]), line = path(p, steps, ""), own = name === S.method;
      line.setAttribute("style", `fill:none;stroke:var(--nf-${INK[name]});stroke-width:${own ? 3.2 : 1.6};stroke-dasharray:${DASH[name]}`);
      p.area.append(line, ...steps.slice(-1).map(([x, y]) => s("circle", { cx: p.X(x), cy: p.Y(y), r: own ? 5 : 3, style: `fill:var(--nf-${INK[name]})` })));
    }
  });
  const side = plot(frame, { x: [-0.5, counts[0] - 0.5], y: [0, 1], aspect: 0.42, xticks: rateTicks, yticks: 4, xlabel: "learning rate", ylabel: "", label: "" }, (p) => {
    const row = at.now && cell(at.now.next)[1];
    if (at.now) {
      const line = Array.from({ length: 61 }, (_, i) => [i / 60 * (counts[0] - 1), ...at.now.guess([i / 60, places[at.now.next][1]])]), most = Math.max(...at.now.promise);
      p.area.append(region(p, [...line.map(([x, m, d]) => [x, m + 2 * d]), ...[...line].reverse().map(([x, m, d]) => [x, m - 2 * d])], "nfig-side-a"), path(p, line.map(([x, m]) => [x, m]), "nfig-curve-a"),
        ...at.now.promise.map((v, k) => (cell(k)[1] === row && v > 0 ? s("rect", { x: p.X(cell(k)[0]) - 4, y: p.high * (1 - 0.25 * v / most), width: 8, height: 0.25 * p.high * v / most, class: "nfig-dot-b" }) : "")));
    }
    p.area.append(...at.tried.map((k) => { const [i, j] = cell(k), own = !at.now || j === row; return s("circle", { cx: p.X(i), cy: p.Y(at.shown[k]), r: own ? 4.5 : 2.5, style: `fill:var(--nf-fg);stroke:var(--nf-bg);opacity:${own ? 1 : 0.55}` }); }));
  });

  function update() {
    const budget = +S.budget, m = Math.sqrt(budget);
    if (deal.repeat !== S.repeat || deal.gp.length < budget) {
      const { show, order } = dealt(S.repeat, table.length), shown = show.map((i, k) => table[k][i]);
      deal = { repeat: S.repeat, shown, random: order, gp: guided(places, shown, order, budget, set) };
    }
    C.part("step").limit(budget);
    const { shown } = deal, step = S.step = Math.min(S.step, budget), all = { grid: gridOf(S.repeat, m, counts), random: deal.random, gp: deal.gp }, who = NAMES[S.method];
    const race = Object.fromEntries(Object.keys(NAMES).map((name) => { let best = 1; return [name, all[name].slice(0, step).map((k) => (best = Math.min(best, shown[k])))]; }));
    const tried = all[S.method].slice(0, step), low = Math.min(...tried.map((k) => shown[k])), best = tried.find((k) => shown[k] === low), last = tried.at(-1), worth = step ? (mean[best] * SEEDS - low) / (SEEDS - 1) : NaN;
    const now = S.method === "gp" && step >= FIRST ? belief(places, tried, tried.map((k) => shown[k]), set) : null, different = new Set(tried.map((k) => cell(k)[0])).size, [median, close] = chances[S.method][S.budget];
    const where = (k) => `rate ${short(rates[cell(k)[0]])} and decay ${sci(decays[cell(k)[1]])}`, shows = (v) => (step ? three(v) : "none yet");
    at = { tried, shown, best, race, now };
    Object.assign(head.dataset, { tried: tried.join(" "), promise: now ? now.promise.join(" ") : "" });
    put(head, low, step ? `best of ${plural(step, "trial")}: ${three(low)}` : "no trial yet");
    for (const name of Object.keys(NAMES)) put(out[name], race[name].at(-1), shows(race[name].at(-1)));
    put(out.worth, worth, shows(worth));
    put(out.rates, different, `${different} of ${counts[0]}`);
    put(out.chance, close, `${close} of 200`);
    say.textContent = `Repeat ${S.repeat}, ${who}, ` + (step ? `trial ${step} of ${budget}: ${where(last)}; the training that is seen has ${three(shown[last])} wrong. The best so far is ${where(best)} with ${three(low)}; seven other trainings of that setting have ${three(worth)} on average. ${plural(different, "rate has", "rates have")} been tried. ` : `budget of ${budget}: no trial yet. `) +
      (now ? `The process, with a length of ${short(now.choice[0])} along the rate and ${short(now.choice[1])} along the decay, expects most of ${where(now.next)}: a gain of ${fmt(now.promise[now.next], 4)}. ` : S.method === "gp" ? `The first ${FIRST} trials of the process are those of chance. ` : "") +
      (S.whole ? `The best setting of the whole table has ${three(least)} on average. ` : "") + `In the middle of 200 repeats with ${budget} trials ${who} came to ${three(median)}.`;
    map.svg.setAttribute("aria-label", `What ${who} has tried: ${plural(tried.length, "setting")} of ${table.length}, fuller where more is wrong`);
    fall.svg.setAttribute("aria-label", `Best so far on a logarithmic scale: ${Object.keys(NAMES).map((n) => `${NAMES[n]} ${shows(race[n].at(-1))}`).join(", ")}`);
    side.ylabel = now ? `share wrong, guessed at decay ${sci(decays[cell(now.next)[1]])}` : "share wrong of what was tried";
    side.svg.setAttribute("aria-label", now ? "The process along the rate: its guess, a band of two standard deviations, and what each rate promises" : `Share wrong against the rate: ${plural(different, "different rate")}`);
    fall.x = [0.7, budget + 0.3];
    for (const p of [map, fall, side]) p.draw();
  }

  el.append(columns(h("div", {}, map.node, key(["nfig-ink-a", "▦", "tried: the fuller, the more is wrong"], ["nfig-ink-b", "●", "promise"], ["", "✓", "best"]), fall.node, key(["nfig-ink-a", "━", "process"], ["nfig-ink-b", "╍", "chance"], ["", "┈", "grid"]), side.node),
    panel(C.rows.method, C.rows.budget, C.rows.repeat, head, C.rows.whole,
      h("dl", { class: "nfig-facts" }, fact("best of the grid", out.grid), fact("best of chance", out.random), fact("best of the process", out.gp), fact("what the choice is worth", out.worth), fact("rates tried", out.rates), fact("near the best", out.chance)))), C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
