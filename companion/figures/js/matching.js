// Matching game: press a term, then what it means, or the other way round. No dragging, no clock.
import { bar, button, h, keepsake, markup, plural, remixed, root, status } from "./kit.js";

const ROUND = 5;

/**
 * Choose the pairs of the next round: those that were shown least often first, and in a fresh mix.
 * @param {number[]} shown how often each pair has been shown
 * @param {() => number} random
 */
export function draw(shown, random = Math.random, size = ROUND) {
  return shown.map((times, i) => [times + random() * 0.9, i]).sort((a, b) => a[0] - b[0]).slice(0, size).map(([, i]) => i);
}

/**
 * What the live text says after a try.
 * @param {boolean} right
 * @param {{term: string, streak: number, left: number, best: number}} now
 */
export function told(right, { term, streak, left, best }) {
  const row = streak > 1 ? ` ${streak} right in a row.` : "";
  if (!right) return `These two do not belong together. The streak starts anew; ${plural(left, "pair")} left.`;
  if (left) return `Right: ${term}.${row} ${plural(left, "pair")} left.`;
  return `Right: ${term}.${row} That was the last pair; your longest streak is ${best}.`;
}

function render({ model, el }) {
  const frame = root(el), pairs = model.get("pairs"), chapter = model.get("chapter"), say = status();
  const { store, line } = keepsake(frame);
  const shown = pairs.map(() => 0), column = (label) => h("ul", { class: "nfig-choices", "aria-label": label });
  const terms = column("Terms"), meanings = column("Meanings");
  let streak = 0, best = (chapter && store.read("matching." + chapter)?.best) || 0, left = 0, held = null;

  const entry = (list, side, html, i) => {
    const b = button("", () => press(side, i, b), { "aria-pressed": "false" });
    b.append(markup("span", {}, html));
    list.append(h("li", {}, b));
  };
  const drop = () => { held?.b.setAttribute("aria-pressed", "false"); held = null; };
  function press(side, i, b) {
    if (b.getAttribute("aria-disabled") === "true") return;
    if (held?.b === b) { drop(); say.textContent = "Nothing is chosen."; return; }
    if (!held || held.side === side) {
      drop();
      held = { side, i, b };
      b.setAttribute("aria-pressed", "true");
      say.textContent = side ? "Now choose the term that has this meaning." : `Now choose what ${b.textContent} means.`;
      return;
    }
    const right = held.i === i, other = held.b;
    drop();
    streak = right ? streak + 1 : 0;
    if (right) {
      left -= 1;
      for (const one of [b, other]) { one.setAttribute("aria-disabled", "true"); one.classList.add("nfig-matched"); }
    }
    if (streak > best) {
      best = streak;
      if (chapter) store.write("matching." + chapter, { best });
    }
    const term = [...terms.querySelectorAll("button")].find((t) => t === b || t === other).textContent;
    say.textContent = told(right, { term, streak, left, best });
    score();
    if (!left) again.focus();
  }
  const facts = h("p", { class: "nfig-hint" });
  const score = () => { facts.textContent = `Streak: ${streak}. Longest: ${best}.`; };
  function round(chosen) {
    chosen.forEach((i) => { shown[i] += 1; });
    left = chosen.length;
    held = null;
    terms.replaceChildren();
    meanings.replaceChildren();
    chosen.forEach((i) => entry(terms, 0, pairs[i].term, i));
    // In another order than the terms, so that a column never repeats the other one.
    remixed(chosen).forEach((i) => entry(meanings, 1, pairs[i].definition, i));
    say.textContent = `${plural(left, "pair")}. Choose a term, then its meaning.`;
    score();
  }
  const again = button("New round", () => { round(draw(shown)); terms.querySelector("button").focus(); });
  el.append(h("div", { class: "nfig-match" }, terms, meanings), say, bar(again, facts), line);
  round(draw(shown));
  return frame.off;
}
export default { render };
