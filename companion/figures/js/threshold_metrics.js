// Scores of ill and healthy patients, a line through them and a place of use: four counts, every metric, two curves, and the cost.
import { bar, button, columns, controls, drag, fact, fmt, h, key, marker, panel, path, plot, put, root, s, short, status } from "./kit.js";

/** @typedef {{ ill: number[], healthy: number[] }} Scores  in thousandths */
/** @typedef {{ tp: number, fn: number, fp: number, tn: number }} Counts  shares of all people */

const STEP = 5, GRAIN = 1000, BIN = 20;
const above = (list, line) => list.filter((v) => v >= line).length / list.length, share = (part, whole) => (whole ? part / whole : 0);

/**
 * The four counts where everybody with a score of at least `line` is called ill.
 * @param {Scores} scores
 * @param {number} line
 * @param {number} pi  the prevalence in use
 * @returns {Counts}
 */
export function counted({ ill, healthy }, line, pi) {
  const found = above(ill, line), alarmed = above(healthy, line);
  return { tp: pi * found, fn: pi * (1 - found), fp: (1 - pi) * alarmed, tn: (1 - pi) * (1 - alarmed) };
}

/**
 * Every metric of the four counts; 0/0 is 0 by agreement.
 * @param {Counts} counts
 */
export function ratios({ tp, fn, fp, tn }) {
  const recall = share(tp, tp + fn), specificity = share(tn, tn + fp);
  return { recall, specificity, balanced: (recall + specificity) / 2, accuracy: tp + tn, precision: share(tp, tp + fp), f1: share(2 * tp, 2 * tp + fp + fn),
    matthews: share(tp * tn - fp * fn, Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))) };
}

/**
 * What each line costs for each person in use, and the cheapest one, of equal ones the lowest.
 * @param {Scores} scores
 * @param {number} pi  the prevalence in use
 * @param {number} missed
 */
export function costs(scores, pi, missed) {
  const all = Array.from({ length: GRAIN / STEP + 1 }, (_, i) => { const { fn, fp } = counted(scores, i * STEP, pi); return missed * fn + fp; });
  return { all, best: STEP * all.indexOf(Math.min(...all)) };
}

/**
 * The score at which a case and an alarm cost the same, if a score is a probability where it was measured.
 * @param {number} here
 * @param {number} pi  the prevalence in use
 * @param {number} missed
 */
export function byFormula(here, pi, missed) {
  const odds = here / (1 - here) * (1 - pi) / pi / missed;
  return odds / (1 + odds);
}

/**
 * False-positive rate and recall at each score that there is, from the highest; it begins with nobody called ill.
 * @param {Scores} scores
 */
export const curve = ({ ill, healthy }) => [GRAIN + 1, ...[...new Set([...ill, ...healthy])].sort((a, b) => b - a)].map((line) => [above(healthy, line), above(ill, line)]);

/**
 * How often an ill patient has the higher score of a pair, ties half; scores are whole numbers.
 * @param {Scores} scores
 */
export const area = ({ ill, healthy }) => ill.reduce((sum, a) => sum + 1 - (above(healthy, a) + above(healthy, a + 1)) / 2, 0) / ill.length;

/**
 * Recall and precision along a curve, at a prevalence; nobody called ill has no precision and is left out.
 * @param {number[][]} points
 * @param {number} pi  the prevalence in use
 */
export const precisions = (points, pi) => points.slice(1).map(([alarmed, found]) => [found, share(pi * found, pi * found + (1 - pi) * alarmed)]);

/**
 * The mean precision over the steps of the recall.
 * @param {number[][]} points  recall and precision
 */
export const average = (points) => points.reduce((sum, [found, v], i) => sum + (found - (i ? points[i - 1][0] : 0)) * v, 0);

const two = (v) => fmt(v, v && Math.abs(v) < 0.1 ? 3 : 2);

function render({ model, el }) {
  const frame = root(el), [ill, healthy] = ["ill", "healthy"].map((k) => model.get(k).split(" ").map(Number)), scores = { ill, healthy }, [oneIn, names] = ["oneIn", "names"].map((k) => model.get(k)), own = oneIn.length - 2, here = 1 / oneIn[own], metrics = Object.keys(names);
  const rare = (i) => `1 in ${short(+oneIn[i].toFixed(1))}`, C = controls(frame, model, { update, show: { line: (v) => fmt(v, 3), missed: (v) => `${v} : 1`, place: (v) => rare(v) + (v === own ? ", as measured" : "") } }), S = C.S;
  const say = status(), head = h("output", { class: "nfig-big" }), nodes = (tag, list) => Object.fromEntries(list.map((k) => [k, h(tag, { class: `nfig-of-${k}` })])), cell = nodes("td", ["tp", "fn", "fp", "tn"]), out = nodes("dd", [...metrics, "best", "formula"]);
  const rows = metrics.map((k) => fact(names[k], out[k])), roc = curve(scores), whole = area(scores);
  let /** @type {any} */ at = {};

  const height = (list, i) => list.slice(0, i + 1).filter((v) => Math.floor(v / BIN) === Math.floor(list[i] / BIN)).length - 0.4, dots = [healthy, ill].map((list) => list.map((v, i) => [v, height(list, i)])), [low, high] = dots.map((list) => Math.max(...list.map(([, y]) => y)) + 0.8);
  const disc = (p, x, y, r, cls) => s("circle", { cx: p.X(x), cy: p.Y(y), r, class: cls }), line = (p) => s("path", { class: "nfig-line", d: `M${p.X(S.line)} 0V${p.high}` }), dotted = (p, ends) => path(p, ends, "nfig-plumb");
  const across = { x: [-0.01, 1.01], xticks: 5, label: "" }, square = { x: [-0.02, 1.02], y: [-0.02, 1.05], aspect: 0.78, xticks: 4, label: "" };
  const crowd = plot(frame, { ...across, y: [-low, high], aspect: 0.56, yticks: [], xlabel: "score", ylabel: "each patient: ill above, healthy below" }, (p) => {
    p.area.append(path(p, [[0, 0], [1, 0]], "nfig-zero"));
    dots.forEach((list, has) => list.forEach(([v, y]) => p.area.append(marker(p.X(v / GRAIN), p.Y(has ? y : -y), `nfig-dot-${"ab"[has]}`, has, 3), v >= at.t === !!has ? "" : disc(p, v / GRAIN, has ? y : -y, 5.5, "nfig-wrong"))));
    p.area.append(line(p));
  });
  const valley = plot(frame, { ...across, y: [0, 1], aspect: 0.36, yticks: 3, xlabel: "threshold", ylabel: "cost a person" }, (p) => {
    p.area.append(dotted(p, [[at.formula, 0], [at.formula, p.y[1]]]), path(p, at.sums.all.map((v, i) => [i * STEP / GRAIN, v]), "nfig-curve-a"), line(p), disc(p, at.best, at.least, 8, "nfig-wrong"), disc(p, S.line, at.cost, 5, "nfig-dot-a"));
  });
  const left = plot(frame, { ...square, xlabel: "false-positive rate", ylabel: "recall" }, (p) => {
    p.area.append(dotted(p, [[0, 0], [1, 1]]), path(p, roc, "nfig-curve-a"), disc(p, 1 - at.now.specificity, at.now.recall, 6, "nfig-dot-b"));
  });
  const right = plot(frame, { ...square, xlabel: "recall", ylabel: "precision" }, (p) => {
    const steps = at.pr.flatMap(([x, y], i) => [[i ? at.pr[i - 1][0] : 0, y], [x, y]]);
    p.area.append(dotted(p, [[0, at.pi], [1, at.pi]]), path(p, steps, "nfig-curve-a"), at.called ? disc(p, at.now.recall, at.now.precision, 6, "nfig-dot-b") : "");
  });

  const judged = (counts, pr) => /** @type {any} */ ({ ...ratios(counts), area: whole, average: average(pr) }), tell = (p, text) => { p.svg.setAttribute("aria-label", text); p.draw(); };
  function update() {
    const t = Math.round(GRAIN * S.line), pi = 1 / oneIn[S.place], counts = counted(scores, t, pi), pr = precisions(roc, pi), now = judged(counts, pr), was = judged(counted(scores, t, here), precisions(roc, here)), sums = costs(scores, pi, S.missed), cost = sums.all[t / STEP], least = Math.min(...sums.all), best = sums.best / GRAIN;
    const called = counts.tp + counts.fp > 0, formula = byFormula(here, pi, S.missed), moved = metrics.filter((k) => Math.abs(now[k] - was[k]) >= 0.005), many = (v) => short(+(GRAIN * v).toFixed(v < 0.01 ? 1 : 0)), shown = (k) => (k === "precision" && !called ? "0/0" : two(now[k]));
    at = { t, now, pi, sums, best, cost, least, called, formula, pr };
    put(head, cost, `costs ${two(cost)} a person`);
    for (const [k, node] of Object.entries(cell)) put(node, counts[k], many(counts[k]));
    metrics.forEach((k, i) => {
      const part = (v) => `${100 * Math.max(0, v)}%`;
      put(out[k], now[k], shown(k) + (moved.includes(k) ? `, was ${two(was[k])}` : ""));
      rows[i].style.cssText = `padding-bottom:6px;background:linear-gradient(var(--nf-fg),var(--nf-fg)) ${part(was[k])} 100%/2px 9px no-repeat,linear-gradient(var(--nf-a),var(--nf-a)) 0 100%/${part(now[k])} 4px no-repeat`;
    });
    put(out.best, best, `${short(best)} (costs ${two(least)})`);
    put(out.formula, formula, fmt(formula, 3));
    say.textContent = `Line at ${short(S.line)}, ${rare(S.place)} ill. Of 1,000 people ${many(counts.tp + counts.fn)} are ill: ${many(counts.tp)} are found, ${many(counts.fn)} missed; ${many(counts.fp)} of the healthy are alarmed. ` + (called ? `Of those called ill ${two(now.precision)} are. ` : "Nobody is called ill, so precision is 0/0, by agreement 0. ") +
      `At ${S.missed} : 1 this costs ${two(cost)} a person; ` + (cost > least ? `the least is ${two(least)}, at ${short(best)}.` : "no line costs less.") + (S.place === own ? "" : ` Where it was measured: ${moved.map((k) => `${names[k]} ${two(was[k])}`).join(", ")}; the others are the same.`);
    valley.y = [0, 1.06 * Math.max(...sums.all)];
    tell(crowd, `Scores of ${ill.length} ill and ${healthy.length} healthy patients: ${ill.filter((v) => v < t).length} ill below the line, ${healthy.filter((v) => v >= t).length} healthy above`);
    tell(valley, `Cost a person against the threshold: from ${two(sums.all[0])} at 0 to ${two(sums.all.at(-1))} at 1, lowest ${two(least)} at ${short(best)}`);
    tell(left, `ROC curve, area ${two(whole)}; now at ${two(1 - now.specificity)}, ${two(now.recall)}`);
    tell(right, `Precision against recall, ${rare(S.place)} ill, average ${two(now.average)}; now at ${two(now.recall)}, ${shown("precision")}`);
  }
  for (const p of [crowd, valley]) drag(p, (x) => C.change("line", x));
  const th = (scope, text) => h("th", { scope }, text), tr = (...kids) => h("tr", {}, ...kids), list = (...kids) => h("dl", { class: "nfig-facts" }, ...kids), pair = (...kids) => h("div", { class: "nfig-pair" }, ...kids), preset = (text, name, v) => button(text, () => C.change(name, v()));
  el.append(columns(h("div", {}, crowd.node, key(["nfig-ink-b", "▲", "ill"], ["nfig-ink-a", "●", "healthy"], ["nfig-ink-bad", "○", "called wrongly"]), valley.node, key(["nfig-ink-bad", "○", "cheapest"], ["", "┊", "by the formula"])),
    panel(C.rows.line, C.rows.missed, C.rows.place, bar(preset("Line at 0.5", "line", () => 0.5), preset("Cheapest line", "line", () => at.best), preset("Screening: 1 in 100", "place", () => oneIn.indexOf(100))), head, list(fact("cheapest line", out.best), fact("line by the formula", out.formula)),
      h("table", { class: "nfig-table", style: "margin:0" }, h("caption", {}, "of 1,000 people in use"), tr(h("td"), th("col", "called ill"), th("col", "called healthy")), tr(th("row", "ill"), cell.tp, cell.fn), tr(th("row", "healthy"), cell.fp, cell.tn)))),
  pair(list(...rows.slice(0, 4)), list(...rows.slice(4))), pair(left.node, right.node), say, C.foot);
  update();
  return frame.off;
}
export default { render };
