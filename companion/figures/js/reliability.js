// Answers of a network that is too sure: bins of confidence and what came true, beside what chance leaves to a calibrated model.
import { columns, controls, fact, fmt, h, key, marker, panel, path, plot, plural, put, root, s, seeded, short, shuffled, status } from "./kit.js";

/** @typedef {{ label: number, below: number[], answer: number }} Answer  true class, how far each logit lies below the largest, which is largest */

const DRAWS = 200, CUT = 5, PARTS = 40;

/**
 * The temperature at a place of the slider: twelve steps double it.
 * @param {number} k
 */
export const temperature = (k) => +(2 ** (k / 12)).toFixed(2);

/**
 * The answers, from one sign for each true class and two letters for each logit.
 * @param {string} labels
 * @param {string} text
 * @param {string} letters
 * @returns {Answer[]}
 */
export function unpacked(labels, text, letters) {
  const classes = text.length / labels.length / 2, at = (i) => (letters.indexOf(text[2 * i]) * 64 + letters.indexOf(text[2 * i + 1])) / 100;
  return [...labels].map((label, n) => { const below = Array.from({ length: classes }, (_, j) => at(n * classes + j)); return { label: +label, below, answer: below.indexOf(0) }; });
}

/**
 * How sure each answer is at a temperature, whether it is right, and its log loss.
 * @param {Answer[]} answers
 * @param {number} heat
 */
export const judged = (answers, heat) => answers.map(({ label, below, answer }) => {
  const sum = below.reduce((all, v) => all + Math.exp(-v / heat), 0);
  return { sure: 1 / sum, right: answer === label, loss: below[label] / heat + Math.log(sum) };
});

/**
 * The bin of a confidence; on an edge it is the lower one.
 * @param {number} sure
 * @param {number} bins
 */
export const place = (sure, bins) => Math.max(1, Math.ceil(sure * bins)) - 1;

/**
 * What a calibrated model with the same confidences comes to in each of many draws: right answers by bin, and its error, in order.
 * @param {number[]} sure
 * @param {number} bins
 * @param {() => number} draw
 */
export function chances(sure, bins, draw) {
  const where = sure.map((v) => place(v, bins)), said = Array(bins).fill(0), hits = Array.from({ length: bins }, () => []), errors = [];
  sure.forEach((v, i) => { said[where[i]] += v; });
  for (let k = 0; k < DRAWS; k++) {
    const right = Array(bins).fill(0);
    for (let i = 0; i < sure.length; i++) if (draw() < sure[i]) right[where[i]] += 1;
    right.forEach((n, b) => hits[b].push(n));
    errors.push(right.reduce((sum, n, b) => sum + Math.abs(n - said[b]), 0) / sure.length);
  }
  for (const list of [...hits, errors]) list.sort((a, b) => a - b);
  return { hits, errors };
}

const mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length, three = (v) => fmt(v, 3);

function render({ model, el }) {
  const frame = root(el), [labels, below, letters] = ["labels", "below", "letters"].map((k) => model.get(k)), all = unpacked(labels, below, letters), C = controls(frame, model, { update, show: { heat: (v) => fmt(temperature(v)), bins: short, samples: short, deal: (v) => `no. ${v}` } }), S = C.S, { min, max } = C.spec("heat"), heats = Array.from({ length: max - min + 1 }, (_, i) => min + i);
  const say = status(), head = h("output", { class: "nfig-big" }), out = Object.fromEntries(["usual", "limit", "loss", "right", "said", "best"].map((k) => [k, h("dd", { class: `nfig-of-${k}` })]));
  let /** @type {any} */ at = {};

  const box = (p, x0, x1, low, high, more) => s("rect", { x: p.X(x0), y: p.Y(high), width: p.X(x1) - p.X(x0), height: Math.max(3, p.Y(low) - p.Y(high)), ...more }), upright = (p, x, cls) => path(p, [[x, 0], [x, p.y[1]]], cls);
  const unit = { x: [-0.03, 1.03], xticks: 5, xlabel: "confidence", label: "" };
  const chart = plot(frame, { ...unit, y: [-0.03, 1.04], aspect: 0.8, yticks: 4, ylabel: "share right" }, (p) => {
    p.area.append(path(p, [[0, 0], [1, 1]], "nfig-plumb"), ...at.found.flatMap(({ b, said, right, low, high, out }) => [box(p, b / S.bins + 0.004, (b + 1) / S.bins - 0.004, low, high, { class: "nfig-safe" }), path(p, [[said, said], [said, right]], "nfig-tangent"), marker(p.X(said), p.Y(right), `nfig-dot-${out ? "b" : "a"}`, +out, 5)]));
  });
  const crowd = plot(frame, { ...unit, y: [0, 1], aspect: 0.2, yticks: 3, ylabel: "answers" }, (p) => p.area.append(...at.found.map(({ b, n }) => box(p, b / S.bins + 0.004, (b + 1) / S.bins - 0.004, 0, n, { class: "nfig-bar-a" }))));
  const fall = plot(frame, { x: [min - 0.8, max + 0.8], y: [0, 1], aspect: 0.55, xticks: [0.5, 1, 2, 3].map((v) => [12 * Math.log2(v), `${v}`]), yticks: 3, xlabel: "temperature", ylabel: "log loss", label: "" }, (p) => {
    const dot = (k, r, cls) => s("circle", { cx: p.X(k), cy: p.Y(at.losses[k - min]), r, class: cls });
    p.area.append(path(p, heats.map((k, i) => [k, at.losses[i]]), "nfig-curve-a"), dot(at.best, 9, "nfig-wrong"), dot(S.heat, 5, "nfig-dot-a"));
  });
  const luck = plot(frame, { x: [0, 1], y: [0, 1], aspect: 0.55, xticks: 4, yticks: 3, xlabel: "ECE", ylabel: `${DRAWS} calibrated models`, label: "" }, (p) => {
    const wide = at.top / PARTS;
    p.area.append(...at.bars.map((n, i) => (n ? box(p, i * wide, (i + 1) * wide, 0, n, { class: "nfig-safe" }) : "")), upright(p, at.limit, "nfig-line nfig-dashed"), upright(p, at.error, "nfig-curve-b"));
  });

  function update() {
    const answers = shuffled([...all.keys()], seeded(2 * S.deal)).slice(0, S.samples).map((i) => all[i]), heat = temperature(S.heat), now = judged(answers, heat), N = now.length, sure = now.map((v) => v.sure), { hits, errors } = chances(sure, S.bins, seeded(2 * S.deal + 1));
    const found = hits.flatMap((list, b) => { const mine = now.filter((v) => place(v.sure, S.bins) === b), n = mine.length, [low, high] = [list[CUT], list.at(-1 - CUT)].map((v) => v / n), right = mine.filter((v) => v.right).length / n; return n ? [{ b, n, said: mean(mine.map((v) => v.sure)), right, low, high, out: right < low || right > high }] : []; });
    const error = found.reduce((sum, { n, said, right }) => sum + n / N * Math.abs(right - said), 0), usual = mean(errors), limit = errors.at(-1 - 2 * CUT), loss = mean(now.map((v) => v.loss)), right = mean(now.map((v) => +v.right)), said = mean(sure), losses = heats.map((k) => mean(judged(answers, temperature(k)).map((v) => v.loss))), least = Math.min(...losses), best = heats[losses.indexOf(least)], away = found.filter((v) => v.out).length;
    const top = 1.1 * Math.max(error, ...errors), bars = Array(PARTS).fill(0);
    for (const v of errors) bars[Math.floor(v / top * PARTS)] += 1;
    at = { found, bars, top, error, limit, losses, best };
    Object.assign(head.dataset, { bins: found.flatMap(({ n, said, right, low, high }) => [n, said, right, low, high]).join(" ") });
    put(head, error, `ECE ${three(error)}`);
    put(out.usual, usual, three(usual));
    put(out.limit, limit, three(limit));
    put(out.loss, loss, three(loss));
    put(out.right, right);
    put(out.said, said);
    put(out.best, temperature(best), `T = ${fmt(temperature(best))}`);
    say.textContent = `Temperature ${fmt(heat)}, ${N} answers, deal ${S.deal}: ${fmt(right)} are right, and the network says ${fmt(said)} on average. In ${S.bins} bins the ECE is ${three(error)}. A calibrated model has ${three(usual)} on average and at most ${three(limit)} in 95 of 100 cases: ` +
      (error > limit ? `this network is ${said > right ? "too sure" : "not sure enough"}` : "this network cannot be told from one that is calibrated") + `. ${plural(away, "bin lies", "bins lie")} outside of the band. The log loss is ${three(loss)}` + (best === S.heat ? ", and no temperature has less." : `; the least is ${three(least)}, at T = ${fmt(temperature(best))}.`);
    crowd.y = [0, 1.05 * Math.max(...found.map((v) => v.n))];
    fall.y = [0, 1.05 * Math.max(...losses)];
    luck.x = [-0.06 * top, top];
    luck.y = [0, 1.1 * Math.max(...bars)];
    const tell = (p, text) => { p.svg.setAttribute("aria-label", text); p.draw(); };
    tell(chart, `Share right against confidence: ${found.map((v) => `${fmt(v.said)} said, ${fmt(v.right)} right${v.out ? ", outside of the band" : ""}`).join("; ")}`);
    tell(crowd, `Answers in each bin: ${found.map((v) => v.n).join(", ")}`);
    tell(fall, `Log loss against the temperature: ${three(losses[0])} at 0.5, ${three(losses.at(-1))} at 3, least ${three(least)} at ${fmt(temperature(best))}`);
    tell(luck, `ECE of ${DRAWS} calibrated models: ${three(errors[0])} to ${three(errors.at(-1))}; the network has ${three(error)}`);
  }
  el.append(columns(h("div", {}, chart.node, key(["nfig-ink-a", "●", "as may be by chance"], ["nfig-ink-b", "▲", "outside"], ["nfig-good-ink", "▨", "calibrated models"]), crowd.node),
    panel(C.rows.heat, C.rows.bins, C.rows.samples, C.rows.deal, head, h("dl", { class: "nfig-facts" }, fact("if calibrated: ECE on average", out.usual), fact("95 % of them below", out.limit), fact("log loss", out.loss), fact("least log loss at", out.best), fact("right", out.right), fact("said, on average", out.said)))),
  h("div", { class: "nfig-pair" }, fall.node, luck.node), key(["nfig-ink-bad", "○", "least log loss"], ["nfig-ink-b", "┃", "this network"], ["", "╏", "95 % below"]), say, C.foot);
  update();
  return frame.off;
}
export default { render };
