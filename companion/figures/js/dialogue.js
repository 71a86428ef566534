// A conversation to read, and to listen to where the browser has a voice. The text is always there.
import { bar, button, choice, h, markup, root, status } from "./kit.js";

let speaker = null;                                 // one conversation speaks at a time, on the whole page

// One or two voices of the page's language; the second speaker gets another pitch when there is only one.
export function voicesFor(all, lang) {
  const short = lang.slice(0, 2).toLowerCase(), fit = all.filter((v) => (v.lang || "").toLowerCase().startsWith(short));
  const local = fit.filter((v) => v.localService), from = local.length > 1 ? local : fit;
  return from.slice(0, 2);
}

function render({ model, el }) {
  const frame = root(el), turns = model.get("turns"), lang = document.documentElement.lang || "en";
  const synth = window.speechSynthesis, me = {}, say = status();
  const who = [...new Set(turns.map((t) => t.who))];
  const list = h("ol", { class: "nfig-turns" }, ...turns.map((t) => h("li", { class: `nfig-turn nfig-who${who.indexOf(t.who) % 2}` },
    h("b", {}, t.who + ": "), markup("span", {}, t.text))));
  let at = 0, ticket = 0, playing = false, rate = 1;
  const here = () => [...list.children].forEach((li, i) => (i === at && (playing || at > 0) ?
    li.setAttribute("aria-current", "true") : li.removeAttribute("aria-current")));
  const paint = (words) => {
    play.textContent = playing ? "Pause" : "Play";
    say.textContent = words;
    here();
  };
  function halt(words = "Paused.") {
    ticket += 1;
    playing = false;
    if (speaker === me) { speaker = null; synth.cancel(); }
    paint(words);
  }
  me.halt = halt;
  function speak() {
    if (speaker && speaker !== me) speaker.halt();
    speaker = me;
    playing = true;
    const mine = ++ticket, turn = turns[at], second = who.indexOf(turn.who) % 2;
    const voices = voicesFor(synth.getVoices(), lang), u = new SpeechSynthesisUtterance(turn.say || list.children[at].lastChild.textContent);
    u.lang = lang;
    u.rate = rate;
    u.pitch = voices.length > 1 ? 1 : second ? 0.8 : 1.2;
    if (voices.length) u.voice = voices[second % voices.length];
    u.onend = () => {
      if (mine !== ticket) return;
      if (at + 1 < turns.length) { at += 1; speak(); } else { at = 0; halt("The end."); }
    };
    u.onerror = () => { if (mine === ticket) halt("The voice stopped. Press Play to try again."); };
    synth.cancel();
    synth.speak(u);
    paint(`Turn ${at + 1} of ${turns.length}, ${turn.who}.`);
  }
  const play = button("Play", () => (playing ? halt() : speak()));
  const next = button("Next", () => {
    at = (at + 1) % turns.length;
    if (playing) speak(); else paint(`Turn ${at + 1} of ${turns.length}, ${turns[at].who}.`);
  });
  const speed = choice({ label: "speed", value: "1", options: ["0.75", "1", "1.25", "1.5"].map((v) => [v, v + "×"]),
    on: (v) => { rate = +v; if (playing) speak(); } });
  const controls = h("div", { role: "group", "aria-label": "Listen to the conversation" }, bar(play, next, speed.row), say);
  const silent = h("p", { class: "nfig-silent" }, "No voice is installed in this browser, so this conversation is for reading.");
  const look = () => {
    const any = Boolean(synth && window.SpeechSynthesisUtterance && synth.getVoices().length);
    controls.hidden = !any;
    silent.hidden = any;
  };
  if (synth) {
    const leave = () => { if (speaker === me) halt(); };
    synth.addEventListener?.("voiceschanged", look);
    addEventListener("pagehide", leave);
    frame.undo(() => { leave(); synth.removeEventListener?.("voiceschanged", look); removeEventListener("pagehide", leave); });
  }
  look();
  el.append(controls, silent, list);
  return frame.off;
}
export default { render };
