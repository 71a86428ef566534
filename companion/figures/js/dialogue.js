// A conversation to read, and to listen to where the browser has a voice. The text is always there.
import { bar, button, choice, h, highlight, keepsake, keptSpeed, markup, reader, root, sentences, speeds, status, whenVoices } from "./kit.js";

/**
 * Cut the turns into the sentences that are spoken one after another.
 * @param {string[]} texts what is spoken, turn by turn
 * @returns {{turn: number, text: string, span: [number, number]}[]}
 */
export function pieces(texts) {
  return texts.flatMap((text, turn) => sentences(text).map((span) => ({ turn, span, text: text.slice(...span) })));
}

// The part of a turn that is spoken, when the text on the page is what is said; otherwise the turn is marked as a whole.
function rangeOf(node, said, [from, to]) {
  const text = node.childNodes.length === 1 ? node.firstChild : null;
  if (!text || text.nodeType !== 3 || text.data !== said) return null;
  const range = document.createRange();
  range.setStart(text, from);
  range.setEnd(text, to);
  return range;
}

function render({ model, el }) {
  const frame = root(el), turns = model.get("turns"), chapter = model.get("chapter"), say = status();
  const { store, line } = keepsake(frame);
  const who = [...new Set(turns.map((t) => t.who))], place = "dialogue." + chapter;
  const list = h("ol", { class: "nfig-turns" }, ...turns.map((t) => h("li", { class: `nfig-turn nfig-who${who.indexOf(t.who) % 2}` },
    h("b", {}, t.who + ": "), markup("span", {}, t.text))));
  const words = turns.map((t, i) => t.say || list.children[i].lastChild.textContent), parts = pieces(words);
  const first = (turn) => parts.findIndex((p) => p.turn === turn);
  const told = (turn) => `Turn ${turn + 1} of ${turns.length}, ${turns[turn].who}.`;

  function paint({ playing, at, ended, failed }) {
    const { turn, span } = parts[at];
    play.textContent = playing ? "Pause" : "Play";
    again.hidden = at === 0;
    say.textContent = ended ? "The end." : failed ? "The voice stopped. Press Play to try again." : playing || said ? told(turn) : "Paused.";
    [...list.children].forEach((li, i) => (i === turn && (playing || at > 0) ? li.setAttribute("aria-current", "true") : li.removeAttribute("aria-current")));
    highlight(playing ? rangeOf(list.children[turn].lastChild, words[turn], span) : null);
    if (chapter) store.write(place, { at: ended ? 0 : turn, of: turns.length });
  }
  let said = false;                                   // a move while paused tells the place, a pause says that it is one
  const voice = reader(frame, { count: () => parts.length, piece: (i) => ({ text: parts[i].text, second: who.indexOf(turns[parts[i].turn].who) % 2 }), paint });
  const move = (turn) => { said = true; voice.go(first((turn + turns.length) % turns.length)); said = false; };
  const play = button("Play", () => voice.toggle()), here = () => parts[voice.at].turn;
  const speed = choice({ label: "speed", value: keptSpeed(), options: speeds(), on: (v) => voice.faster(+v) });
  const again = button("From the start", () => move(0), { hidden: true });
  const controls = h("div", { role: "group", "aria-label": "Listen to the conversation" },
    bar(play, button("Back", () => move(here() - 1)), button("Next", () => move(here() + 1)), again, speed.row), say);
  const silent = h("p", { class: "nfig-silent" }, "No voice is installed in this browser, so this conversation is for reading.");
  whenVoices(frame, (any) => { controls.hidden = !any; silent.hidden = any; });
  el.append(controls, silent, list, line);
  const kept = chapter ? store.read(place) : undefined;
  if (kept && kept.of === turns.length && kept.at > 0 && kept.at < turns.length) {
    voice.at = first(kept.at);
    again.hidden = false;
    say.textContent = `You stopped at turn ${kept.at + 1} of ${turns.length}. Play goes on from there.`;
  }
  return frame.off;
}
export default { render };
