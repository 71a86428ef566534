// Flashcards: turn, next, previous, shuffle, and a mark for what was known.
import { bar, button, h, markup, root, status } from "./kit.js";

export function shuffled(n, random = Math.random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function render({ model, el }) {
  const frame = root(el), cards = model.get("cards"), say = status(), marks = new Map();
  let order = cards.map((_, i) => i), at = 0, back = false;
  const face = h("div", { class: "nfig-card", role: "group", "aria-live": "polite" });
  const turn = button("Show the back", () => show(at, !back));
  function show(to, side = false) {
    at = (to + cards.length) % cards.length;
    back = side;
    const card = cards[order[at]];
    face.replaceChildren(h("p", { class: "nfig-side" }, back ? "back" : "front"), markup("div", {}, back ? card.back : card.front));
    face.setAttribute("aria-label", `card ${at + 1} of ${cards.length}, ${back ? "back" : "front"}`);
    face.classList.toggle("nfig-back", back);
    turn.textContent = back ? "Show the front" : "Show the back";
    const known = [...marks.values()].filter(Boolean).length;
    say.textContent = `Card ${at + 1} of ${cards.length}. Known: ${known}, again: ${marks.size - known}` +
      (marks.size === cards.length ? ". Every card has a mark." : ".");
  }
  const mark = (known) => () => { marks.set(order[at], known); show(at + 1); };
  el.append(face, bar(turn, button("I knew it", mark(true)), button("Again", mark(false))),
    bar(button("Previous", () => show(at - 1)), button("Next", () => show(at + 1)),
      button("Shuffle", () => { order = shuffled(cards.length); show(0); }),
      button("Start over", () => { marks.clear(); order = cards.map((_, i) => i); show(0); })), say);
  show(0);
  return frame.off;
}
export default { render };
