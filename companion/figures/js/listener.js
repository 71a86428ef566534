// Reads a chapter's page aloud: headings, paragraphs, lists, captions and alt texts; formulas in words; code is skipped, and that is said.
import { bar, button, choice, h, highlight, keepsake, keptSpeed, plural, reader, root, sentences, speeds, status, whenVoices } from "./kit.js";
import { spoken } from "./parts/spoken.js";

const SKIP = "script, style, nav, .headerlink, [data-nfig=listener], .nlist, .sr-only, [hidden], .copybtn, button";
const READ = "h1, h2, h3, h4, h5, h6, p, dt, .math:not(span)";

/**
 * Say in words what is not read: code, output, a table.
 * @param {"code" | "folded" | "output"} kind
 * @param {number} lines
 */
export function skipped(kind, lines) {
  if (kind === "output") return `Its output of ${plural(lines, "line")} is here.`;
  return `A ${kind === "folded" ? "folded " : ""}piece of code of ${plural(lines, "line")} is here.`;
}

const linesOf = (node) => (node.querySelector("pre") ?? node).textContent.trimEnd().split("\n").length;
const sentence = (text) => (/[.!?:]$/.test(text.trim()) ? text.trim() : text.trim() + ".");

// What is said in place of a figure: its caption and its text alternative.
function figure(node) {
  const caption = node.querySelector("figcaption")?.textContent ?? "";
  const alt = node.getAttribute("aria-label") ?? node.querySelector("[role=img]")?.getAttribute("aria-label") ?? node.querySelector("img")?.alt ?? "";
  const kind = node.querySelector("svg, canvas, img") ? "Figure: " : "";
  return kind + [caption, alt].filter((t) => t.trim()).map(sentence).join(" ");
}

function table(node) {
  const rows = node.querySelectorAll("tbody tr").length, columns = node.querySelector("tr")?.children.length ?? 0;
  const heads = [...node.querySelectorAll("thead th")].map((t) => t.textContent.trim()).filter(Boolean);
  return `A table of ${plural(rows, "row")} and ${plural(columns, "column")} is here${heads.length ? `: ${heads.join(", ")}` : ""}.`;
}

/**
 * List what is read, in the page's order: each {el, say}; without `say` the element's own text is read.
 * @param {Element} page
 */
export function blocks(page) {
  const found = [];
  const add = (el, say) => found.push({ el, say });
  function each(node) {
    for (const child of node.children) {
      if (child.matches(SKIP)) continue;
      if (child.matches("[data-nfig=objectives]")) goals(child);
      else if (child.matches("figure")) add(child, figure(child));
      else if (child.matches("details")) folded(child);
      else if (child.matches("table")) add(child, table(child));
      else if (child.matches(".cell_output .highlight, .cell_output pre")) add(child, skipped("output", linesOf(child)));
      else if (child.matches(".highlight, pre")) add(child, skipped("code", linesOf(child)));
      else if (child.matches(READ) || (child.matches("li, dd, div") && ownText(child))) add(child);
      else each(child);
    }
  }
  function folded(node) {
    const code = node.querySelector(":scope > .cell_input, :scope > .highlight");
    if (code) add(node, skipped("folded", linesOf(code)));
    else if (node.open) each(node);
    else add(node, `Folded: ${sentence(node.querySelector("summary")?.textContent ?? "")}`);
  }
  function goals(node) {
    const labels = node.querySelectorAll(".nfig-goals label"), head = node.querySelector(".nfig-h, b");
    if (head) add(head);
    (labels.length ? labels : node.querySelectorAll("li")).forEach((l) => add(l));
  }
  each(page);
  return found;
}

const ownText = (node) => [...node.childNodes].some((n) => (n.nodeType === 3 && n.data.trim()) || (n.nodeType === 1 && n.matches("em, strong, a, code, span")));

// An element's text with formulas in words, and where each part of it stands: {at, length, node}.
export function textOf(el) {
  const parts = [];
  let text = "";
  const add = (words, node) => { parts.push({ at: text.length, length: words.length, node }); text += words; };
  (function collect(node) {
    if (node.nodeType === 3) { add(node.data.replace(/\s/g, " "), node); return; }
    if (node.nodeType !== 1 || node.matches(SKIP)) return;
    const tex = node.matches(".katex") ? node.querySelector("annotation")?.textContent : undefined;
    if (tex !== undefined) add(` ${spoken(tex)} `, node);
    else if (node.matches("img")) add(node.alt, node);
    else node.childNodes.forEach(collect);
  })(el);
  return { text, parts };
}

function rangeOf(parts, from, to) {
  const touched = parts.filter((p) => p.at < to && p.at + p.length > from), range = document.createRange();
  if (!touched.length) return null;
  const [first, last] = [touched[0], touched.at(-1)];
  if (first.node.nodeType === 3) range.setStart(first.node, Math.max(0, from - first.at));
  else range.setStartBefore(first.node);
  if (last.node.nodeType === 3) range.setEnd(last.node, Math.min(last.length, to - last.at));
  else range.setEndAfter(last.node);
  return range;
}

// Every sentence of the page: what is said, where it stands, under which heading.
function script(page) {
  let section = "";
  return blocks(page).flatMap(({ el, say }) => {
    const { text, parts } = say === undefined ? textOf(el) : { text: say, parts: [] };
    if (el.matches("h1, h2, h3, h4")) section = text.trim();
    const cuts = /^H\d$/.test(el.tagName) && text.trim() ? [[0, text.length]] : sentences(text), here = section;
    return cuts.map(([from, to]) => ({ el, parts, from, to, section: here, text: text.slice(from, to).replace(/\s+/g, " ").trim() }));
  }).filter((p) => /[\p{L}\p{N}]/u.test(p.text));
}

function render({ model, el }) {
  const frame = root(el), place = "page." + model.get("chapter"), say = status("nfig-say nfig-heard");
  const { store, line } = keepsake(frame), where = h("span", { class: "nfig-hint" });
  let pieces = null, marked = null;
  const page = () => el.closest("article") ?? document.querySelector("article") ?? document.querySelector("main") ?? document.body;
  function all() {
    if (pieces) return pieces;
    pieces = script(page());
    const kept = store.read(place);
    if (kept && kept.of === pieces.length && kept.at < kept.of) voice.at = kept.at;
    return pieces;
  }
  const tell = (words) => { if (say.textContent !== words) say.textContent = words; };
  function unmark() { marked?.classList.remove("nfig-spoken"); marked = null; highlight(null); }
  function mark({ el: block, parts, from, to }) {
    unmark();
    const range = parts.length ? rangeOf(parts, from, to) : null;
    if (!range || !highlight(range)) { marked = block; block.classList.add("nfig-spoken"); }
    const box = (range ?? block).getBoundingClientRect();
    if (box.top < 90 || box.bottom > innerHeight - 40) {
      block.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    }
  }
  function paint({ playing, at, ended, failed }) {
    const now = all()[at];
    play.textContent = playing ? "Pause" : "Play";
    again.hidden = at === 0;
    if (playing) mark(now); else unmark();
    more.hidden = false;
    where.textContent = `Sentence ${at + 1} of ${pieces.length}.`;
    tell(ended ? "The end of the chapter." : failed ? "The voice stopped. Press Play to try again." : playing ? `Reading: ${now.section}` : `Paused in: ${now.section}`);
    store.write(place, { at, of: pieces.length });
  }
  const voice = reader(frame, { count: () => all().length, piece: (i) => ({ text: all()[i].text, second: -1 }), paint });
  const move = (by) => { if (all().length) voice.go(voice.at + by); };
  const play = button("Play", () => { if (all().length) voice.toggle(); });
  const speed = choice({ label: "speed", value: keptSpeed(), options: speeds(), on: (v) => voice.faster(+v) });
  const again = button("From the start", () => { if (all().length) voice.go(0); }, { hidden: true });
  // One row until it is used, as high as what stands there without scripts: nothing below moves.
  const more = bar(button("Back", () => move(-1), { "aria-label": "Back one sentence" }), button("Next", () => move(1), { "aria-label": "Next sentence" }),
    again, speed.row, where);
  more.hidden = true;
  const controls = h("div", { role: "group", "aria-label": "Listen to this chapter" }, bar(play, say), more);
  const silent = h("p", { class: "nfig-silent" }, "No voice is installed in this browser, so this chapter is for reading only.");
  whenVoices(frame, (any) => { controls.hidden = !any; silent.hidden = any; });
  el.append(controls, silent, line);
  const kept = store.read(place);
  tell(kept?.at ? "Play goes on where you stopped." : "Listen to this chapter.");
  frame.undo(unmark);
  return frame.off;
}
export default { render };
