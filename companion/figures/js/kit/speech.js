// Reading aloud by the browser's voices: one reader at a time on the whole page.
import { progress, shared } from "./store.js";

/**
 * One or two voices of the page's language, those of this machine first.
 * @param {SpeechSynthesisVoice[]} all
 * @param {string} lang
 */
export function voicesFor(all, lang) {
  const short = lang.slice(0, 2).toLowerCase(), fit = all.filter((v) => (v.lang || "").toLowerCase().startsWith(short));
  const local = fit.filter((v) => v.localService), from = local.length > 1 ? local : fit;
  return from.slice(0, 2);
}

/**
 * Split a text into sentences; returns their [start, end) in the text.
 * @param {string} text
 * @returns {[number, number][]}
 */
export function sentences(text) {
  const found = [], stop = /[.!?…]+["”’)\]]*(?=\s+["“‘([]?[\p{Lu}\p{N}=])|[:;]\s(?=\S)|$/gu;
  let from = 0;
  for (const m of text.matchAll(stop)) {
    const end = m.index + m[0].length, part = text.slice(from, end);
    if (m[0] && /^[:;]/.test(m[0]) && part.length < 160) continue;
    if (m[0] && /(?:\b(?:e\.g|i\.e|etc|vs|cf|Fig|Dr|St)|\b\p{Lu})\.$/u.test(part)) continue;
    const lead = part.length - part.trimStart().length, body = part.trim();
    if (body) found.push([from + lead, from + lead + body.length]);
    from = end;
  }
  return found;
}

const SPEEDS = ["0.75", "1", "1.25", "1.5"];
export const speeds = () => SPEEDS.map((v) => [v, v + "×"]);
export const keptSpeed = () => String(progress().read("speed") ?? 1);

/** Mark a range of the text as the one that is spoken, where the browser can; null takes the mark away. */
export function highlight(range) {
  const marks = globalThis.CSS?.highlights;
  if (!marks || !globalThis.Highlight) return false;
  if (range) marks.set("nfig-spoken", new Highlight(range));
  else marks.delete("nfig-spoken");
  return true;
}

/**
 * A reader of numbered pieces of text.
 * @param {{undo: (f: () => void) => void}} frame
 * @param {{count: () => number, piece: (i: number) => {text: string, second?: number},
 *   paint: (state: {playing: boolean, at: number, ended: boolean, failed: boolean}) => void}} what
 */
export function reader(frame, { count, piece, paint }) {
  const desk = shared("speaker", () => ({ owner: null })), synth = window.speechSynthesis, me = {};
  const lang = document.documentElement.lang || "en";
  let at = 0, ticket = 0, playing = false, rate = +keptSpeed();
  const state = (more = {}) => paint({ playing, at, ended: false, failed: false, ...more });
  function halt(more) {
    ticket += 1;
    const was = playing;
    playing = false;
    if (desk.owner === me) { desk.owner = null; synth.cancel(); }
    if (was || more) state(more);
  }
  me.halt = halt;
  function speak() {
    if (desk.owner && desk.owner !== me) desk.owner.halt();
    desk.owner = me;
    playing = true;
    const mine = ++ticket, { text, second = 0 } = piece(at), voices = voicesFor(synth.getVoices(), lang);
    const u = new SpeechSynthesisUtterance(text);
    Object.assign(u, { lang, rate, pitch: voices.length > 1 || second < 0 ? 1 : second ? 0.8 : 1.2 });
    if (voices.length) u.voice = voices[Math.max(0, second) % voices.length];
    u.onend = () => {
      if (mine !== ticket) return;
      if (at + 1 < count()) { at += 1; speak(); } else { at = 0; halt({ ended: true }); }
    };
    u.onerror = () => { if (mine === ticket) halt({ failed: true }); };
    synth.cancel();
    synth.speak(u);
    state();
  }
  if (synth) {
    const leave = () => halt();
    addEventListener("pagehide", leave);
    frame.undo(() => { leave(); removeEventListener("pagehide", leave); });
  }
  return {
    toggle() { if (playing) halt(); else speak(); },
    go(i) { at = Math.max(0, Math.min(count() - 1, i)); if (playing) speak(); else state(); },
    faster(v) { rate = v; progress().write("speed", v); if (playing) speak(); },
    set at(i) { at = i; },
    get at() { return at; },
    get playing() { return playing; },
    halt,
  };
}

/** Call `on(any)` now and whenever voices come or go; `any` says whether this browser has one. */
export function whenVoices(frame, on) {
  const synth = window.speechSynthesis;
  const look = () => on(Boolean(synth && window.SpeechSynthesisUtterance && synth.getVoices().length));
  if (synth) {
    synth.addEventListener?.("voiceschanged", look);
    frame.undo(() => synth.removeEventListener?.("voiceschanged", look));
  }
  look();
}
