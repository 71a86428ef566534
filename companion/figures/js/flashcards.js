// Flashcards with spaced repetition: each card comes back when it is about to be forgotten (FSRS, by ts-fsrs).
import { bar, button, endOfDay, h, keepsake, markup, plural, root, status } from "./kit.js";
import { library } from "./parts/fsrs.js";

const MINUTE = 60e3, DAY = 1440 * MINUTE, AHEAD = 20 * MINUTE;
const GRADES = [["Again", 1], ["Hard", 2], ["Good", 3], ["Easy", 4]];
const LEARNED = 2; // the library's state of a card that waits for days, not for minutes

/**
 * Say a time span in words, in the largest unit that fits.
 * @param {number} ms
 */
export function spell(ms) {
  const minutes = Math.max(1, Math.round(ms / MINUTE)), days = Math.round(ms / DAY);
  if (minutes < 60) return plural(minutes, "minute");
  if (days < 1) return plural(Math.round(minutes / 60), "hour");
  if (days < 31) return plural(days, "day");
  return days < 365 ? plural(Math.round(days / 30.4), "month") : plural(Math.round(days / 36.5) / 10, "year");
}

// A card as the library wants it, and as the store keeps it.
const alive = (kept, now) => (kept ? { ...kept, elapsed_days: 0, due: new Date(kept.due), last_review: new Date(kept.last_review) } :
  library.createEmptyCard(new Date(now)));
const still = ({ due, last_review, stability, difficulty, scheduled_days, reps, lapses, learning_steps, state }) =>
  ({ due: +due, last_review: +last_review, stability, difficulty, scheduled_days, reps, lapses, learning_steps, state });

/**
 * The four answers to a card at a time: name, when the card would come back, and what would be kept.
 * @param {Record<string, any> | undefined} kept the card's history, none for a new card
 * @param {number} now
 */
export function answersFor(kept, now) {
  const at = kept ? Math.max(now, kept.last_review) : now; // a clock that was set back must not throw
  const next = library.fsrs().repeat(alive(kept, at), new Date(at));
  return GRADES.map(([name, grade]) => {
    const card = still(next[grade].card);
    return { name, grade, kept: card, wait: spell(card.due - at) };
  });
}

/**
 * Count a deck and say which cards come next: due ones, then new ones, then those whose minutes are nearly over.
 * @param {string[]} ids
 * @param {(id: string) => any} historyOf
 * @param {number} now
 */
export function plan(ids, historyOf, now, onlyDue = false) {
  const met = ids.map((id) => ({ id, card: historyOf(id) })), tonight = endOfDay(now);
  const old = met.filter(({ card }) => card).sort((a, b) => a.card.due - b.card.due);
  const fresh = onlyDue ? [] : met.filter(({ card }) => !card);
  const ready = ({ card }) => card.due <= now || (card.state === LEARNED && card.due < tonight);
  const soon = old.filter((c) => !ready(c) && c.card.state !== LEARNED && c.card.due <= now + AHEAD);
  return {
    due: old.filter(({ card }) => card.due < tonight).length,
    fresh: met.length - old.length,
    learned: old.filter(({ card }) => card.state === LEARNED).length,
    queue: [...old.filter(ready), ...fresh, ...soon].map(({ id }) => id),
    next: old.length ? old[0].card.due : null,
  };
}

// The cards' histories, chapter by chapter in the store; cards without a key are remembered while the page is open.
function histories(store, cards) {
  const here = new Map(), of = new Map(cards.map((c, i) => [c.key ? `${c.chapter}/${c.key}` : String(i), c]));
  const chapter = (id) => (of.get(id).key && of.get(id).chapter ? `cards.${of.get(id).chapter}` : "");
  return {
    ids: [...of.keys()], card: (id) => of.get(id),
    get: (id) => (chapter(id) ? (store.read(chapter(id)) ?? {})[of.get(id).key] : here.get(id)),
    put(id, kept) {
      if (!chapter(id)) { here.set(id, kept); return; }
      const { [of.get(id).key]: _, ...others } = store.read(chapter(id)) ?? {};
      store.write(chapter(id), kept ? { ...others, [of.get(id).key]: kept } : others);
    },
  };
}

function render({ model, el }) {
  const frame = root(el), say = status(), onlyDue = Boolean(model.get("onlyDue"));
  const { store, line } = keepsake(frame, (name) => { if (!busy && (name === "" || name.startsWith("cards"))) start(); });
  const deck = histories(store, model.get("cards")), later = new Set();
  let now = null, back = false, last = null, busy = false;
  const face = h("div", { class: "nfig-card", role: "group", tabindex: "0", "aria-live": "polite" });
  const answers = h("div", { class: "nfig-answers", role: "group", "aria-label": "How well did you know it?" });
  const turn = button("Show the back", () => flip());
  const next = button("Next", () => { later.add(now); start(); turn.focus(); });
  const undo = button("Undo", () => { keep(last.id, last.before); later.delete(last.id); last = null; start(); turn.focus(); });
  const hint = h("p", { class: "nfig-hint" }, "Space or Enter turns the card. 1 to 4 answer it: again, hard, good, easy.");
  const keep = (id, kept) => { busy = true; deck.put(id, kept); busy = false; };

  function start() {
    const { queue, ...counts } = plan(deck.ids, deck.get, Date.now(), onlyDue);
    if (queue.length && queue.every((id) => later.has(id))) later.clear();
    now = queue.find((id) => !later.has(id)) ?? null;
    back = false;
    paint();
    const when = counts.next && counts.next > Date.now() ? ` The next one comes back in ${spell(counts.next - Date.now())}.` : "";
    say.textContent = `Due today: ${counts.due}, new: ${counts.fresh}, learned: ${counts.learned}.` + (now === null ? when : "");
  }
  function answer({ kept }) {
    last = { id: now, before: deck.get(now) };
    keep(now, kept);
    later.delete(now);
    start();
    (now === null ? undo : turn).focus();
  }
  function flip() { back = !back; paint(); }
  function paint() {
    const card = now === null ? null : deck.card(now);
    const side = back ? "back" : "front", where = card?.chapter && onlyDue ? `chapter ${card.chapter}, ` : "";
    face.replaceChildren(...(card ? [h("p", { class: "nfig-side" }, where + side), markup("div", {}, back ? card.back : card.front)] :
      [h("p", { class: "nfig-side" }, "done"), h("div", {}, onlyDue ? "No card is due now." : "Nothing more is due now.")]));
    face.setAttribute("aria-label", card ? `card, ${side}` : "no card");
    face.classList.toggle("nfig-back", back);
    turn.textContent = back ? "Show the front" : "Show the back";
    turn.hidden = next.hidden = !card;
    undo.hidden = !last;
    answers.hidden = !back;
    answers.replaceChildren(...(back ? answersFor(deck.get(now), Date.now()).map((a) => button("", () => answer(a), { "aria-keyshortcuts": a.grade })) : []));
    if (back) answersFor(deck.get(now), Date.now()).forEach((a, i) => {
      answers.children[i].append(h("b", {}, `${a.grade} ${a.name}`), " ", h("span", {}, a.wait));
    });
  }
  frame.keys(el, (e) => {
    const bare = !e.target.closest("button, a, input, select");
    if (back && /^[1-4]$/.test(e.key)) { e.preventDefault(); answers.children[+e.key - 1].click(); }
    else if (bare && now !== null && (e.key === " " || e.key === "Enter")) { e.preventDefault(); flip(); }
  });
  el.append(face, answers, bar(turn, next, undo), say, hint, line);
  start();
  return frame.off;
}
export default { render };
