// What the browser keeps for the reader: under one prefix with a version, every value checked when it is read.

export const PREFIX = "neurons.v1.";
const FORMAT = "neurons-to-gans/progress", VERSION = 1;

const isText = (v, longest = 80) => typeof v === "string" && v.length <= longest;
const isCount = (v, most = 1e6) => Number.isInteger(v) && v >= 0 && v <= most;
const isTable = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
const isList = (v, fits) => Array.isArray(v) && v.length <= 1000 && v.every(fits);
const isId = (v) => isText(v) && /^[\w.-]+$/.test(v);
const isTime = (v) => Number.isFinite(v) && v >= 0 && v < 1e14;
const isPart = (v) => Number.isFinite(v) && v >= 0 && v <= 1e5;

const isCard = (v) => isTable(v) && isTime(v.due) && isTime(v.last_review) && isPart(v.stability) && isPart(v.difficulty) &&
  ["scheduled_days", "reps", "lapses", "learning_steps"].every((k) => isCount(v[k])) && isCount(v.state, 3);

// kind -> [what it is in words, does a value fit?, belongs to one chapter]
const KINDS = {
  name: ["the name", (v) => isText(v, 60), false],
  speed: ["the speed of the voice", (v) => [0.75, 1, 1.25, 1.5].includes(v), false],
  objectives: ["the check marks", (v) => isList(v, isId), true],
  quiz: ["the practice test", (v) => isTable(v) && isCount(v.best, 1000) && isCount(v.of, 1000) && v.best <= v.of &&
    isCount(v.rounds) && isList(v.missed, isId), true],
  cards: ["the flashcards", (v) => isTable(v) && Object.entries(v).every(([k, c]) => isId(k) && isCard(c)), true],
  matching: ["the matching game", (v) => isTable(v) && isCount(v.best), true],
  dialogue: ["the place in the dialogue", (v) => isTable(v) && isCount(v.at) && isCount(v.of), true],
  page: ["the place in the page", (v) => isTable(v) && isCount(v.at) && isCount(v.of), true],
};

/**
 * Take a name such as "quiz.01" apart; null when it is none that is kept.
 * @param {string} name
 * @returns {{words: string, fits: (value: any) => boolean} | null}
 */
export function kindOf(name) {
  const found = /^([a-z]+)(?:\.(\d\d[a-f]?))?$/.exec(name);
  if (!found || !Object.hasOwn(KINDS, found[1])) return null;
  const [words, fits, ofChapter] = KINDS[found[1]];
  if (ofChapter !== Boolean(found[2])) return null;
  return { words: words + (found[2] ? ` of chapter ${found[2]}` : ""), fits };
}

/** One store, speaker or the like for all figures of a page, also where each carries its own copy of this library. */
export function shared(name, make) {
  const place = Symbol.for("neurons." + name);
  return (globalThis[place] ||= make());
}

const BLOCKED = "This browser keeps nothing for this page, so what you do here is gone when you leave it.";
const FULL = "The browser's store is full or closed, so what you do from here on is gone when you leave the page.";

/**
 * Open the reader's store over something like localStorage; without one it works in memory and says so.
 * @param {() => Storage} open returns the storage, or throws where the browser forbids it
 */
export function openStore(open) {
  const memory = new Map(), heard = new Set(), bad = new Set();
  let disk = null, trouble = "";
  try {
    disk = open();
    disk.getItem(PREFIX);
  } catch {
    disk = null;
  }
  if (!disk) trouble = BLOCKED;
  const tell = (name) => { for (const f of [...heard]) f(name); };

  const raw = (name) => (memory.has(name) || !disk ? memory.get(name) ?? null : disk.getItem(PREFIX + name));

  function read(name) {
    const kind = kindOf(name), text = kind && raw(name);
    if (text === null || text === undefined) return undefined;
    try {
      const value = JSON.parse(text);
      if (kind.fits(value)) return value;
    } catch { /* said below */ }
    if (!bad.has(name)) { bad.add(name); tell(name); }
    return undefined;
  }

  function write(name, value) {
    const kind = kindOf(name);
    if (!kind || !kind.fits(value)) throw new Error(`store: ${name} expected a value of its kind, got ${JSON.stringify(value)}`);
    const text = JSON.stringify(value);
    bad.delete(name);
    memory.delete(name);
    try {
      if (!disk) throw new Error("no storage");
      disk.setItem(PREFIX + name, text);
    } catch {
      memory.set(name, text);
      trouble ||= FULL;
    }
    tell(name);
  }

  function names() {
    const found = new Set(memory.keys());
    for (let i = 0; disk && i < disk.length; i++) {
      const key = disk.key(i);
      if (key.startsWith(PREFIX) && kindOf(key.slice(PREFIX.length))) found.add(key.slice(PREFIX.length));
    }
    return [...found].sort();
  }

  function erase() {
    for (const name of names()) {
      memory.delete(name);
      if (disk) disk.removeItem(PREFIX + name);
    }
    bad.clear();
    tell("");
  }

  function exported(now) {
    const kept = Object.fromEntries(names().map((n) => [n, read(n)]).filter(([, v]) => v !== undefined));
    return JSON.stringify({ format: FORMAT, version: VERSION, saved: new Date(now).toISOString(), kept }, null, 1);
  }

  function imported(text) {
    const { kept, error } = opened(text);
    if (error) return error;
    const taken = [], left = [];
    for (const [name, value] of Object.entries(kept)) {
      const kind = kindOf(name);
      if (kind && kind.fits(value)) { write(name, value); taken.push(name); } else left.push(name.slice(0, 40));
    }
    const entries = (n) => `${n} ${n === 1 ? "entry" : "entries"}`;
    const rest = left.length ? `; ${entries(left.length)} did not fit and ${left.length === 1 ? "was" : "were"} left out: ${left.slice(0, 5).join(", ")}` : "";
    return `Taken from the file: ${entries(taken.length)}${rest}.`;
  }

  const off = (f) => () => { heard.delete(f); };
  return {
    read, write, names, erase, exported, imported,
    /** Hear of each change by its name; "" stands for everything. Returns what stops it. */
    listen(f) { heard.add(f); return off(f); },
    /** Tell of a change that another tab made. */
    elsewhere(key) { if (key === null || key.startsWith(PREFIX)) tell(key === null ? "" : key.slice(PREFIX.length)); },
    /** What the reader should know, in a sentence or two; empty when all is well. */
    get note() {
      const unread = [...bad].map((n) => kindOf(n)?.words).filter(Boolean);
      const told = unread.length ? `What was kept for ${unread.join(", ")} could not be read and is left aside.` : "";
      return [trouble, told].filter(Boolean).join(" ");
    },
  };
}

// Returns what a file holds, or the sentence that says why it cannot be taken.
function opened(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    return { error: "Nothing was taken: the file is not JSON. Choose one that this page has exported." };
  }
  if (!isTable(data) || data.format !== FORMAT || !isTable(data.kept)) {
    return { error: "Nothing was taken: the file is not an export of this course." };
  }
  if (data.version !== VERSION) {
    return { error: `Nothing was taken: the file has version ${JSON.stringify(data.version)}, this page reads version ${VERSION}.` };
  }
  return { kept: data.kept };
}

/** The page's own store. */
export function progress() {
  return shared("progress", () => {
    const store = openStore(() => window.localStorage);
    addEventListener("storage", (e) => store.elsewhere(e.key));
    return store;
  });
}

/**
 * A line that shows what the store has to say, hidden while that is nothing; `on` hears each change.
 * @param {{undo: (f: () => void) => void}} frame
 * @param {(name: string) => void} on
 */
export function keepsake(frame, on = () => {}) {
  const store = progress(), line = document.createElement("p");
  line.className = "nfig-note";
  line.setAttribute("role", "status");
  const show = () => { line.textContent = store.note; line.hidden = !store.note; };
  frame.undo(store.listen((name) => { show(); on(name); }));
  show();
  return { store, line, show };
}
