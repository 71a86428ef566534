// Practice test: an explanation for whichever option was chosen, a result by objective, and the missed ones again.
import { bar, button, h, keepsake, markup, remixed, root, status, uid } from "./kit.js";

/**
 * The count in words.
 * @param {number} right
 * @param {number} asked
 * @param {number} total
 * @param {number} streak right answers in a row, up to now
 */
export function verdict(right, asked, total, streak = 0) {
  if (!asked) return `${total} questions. The first answer you check counts.`;
  const row = streak > 1 ? ` ${streak} in a row.` : "";
  if (asked < total) return `${right} of ${asked} right so far, ${total - asked} to go.${row}`;
  return `${right} of ${total} right.` + (right === total ? " All of them." : " Read the explanations of those you missed, then try again.");
}

/**
 * The result by objective: how many of its questions were right, and the sections of those that were not.
 * @param {{id: string, text: string}[]} objectives
 * @param {{id: string, objective?: string, section?: string}[]} items those that were asked
 * @param {Map<string, boolean>} first whether the first answer was right
 */
export function byObjective(objectives, items, first) {
  return objectives.map(({ id, text }) => {
    const asked = items.filter((q) => q.objective === id && first.has(q.id)), missed = asked.filter((q) => !first.get(q.id));
    return { id, text, asked: asked.length, right: asked.length - missed.length, read: [...new Set(missed.map((q) => q.section).filter(Boolean))] };
  }).filter((o) => o.asked);
}

// The heading of a section of this page as a link to it; in a notebook, where there is none, the words of its anchor.
function sectionLink(anchor) {
  const heading = document.getElementById(anchor)?.querySelector("h1, h2, h3, h4");
  const words = heading ? heading.firstChild.textContent.trim() : anchor.replaceAll("-", " ");
  return heading ? h("a", { href: "#" + anchor }, words) : words;
}

function render({ model, el }) {
  const frame = root(el), all = model.get("items"), goals = model.get("objectives") ?? [], chapter = model.get("chapter");
  const { store, line } = keepsake(frame), score = status("nfig-say nfig-score");
  const list = h("div"), result = h("div", { class: "nfig-result" });
  let items = all, first, streak;                     // first: question -> was the first checked answer right?

  function count() {
    const right = [...first.values()].filter(Boolean).length, done = first.size === items.length;
    score.textContent = verdict(right, first.size, items.length, streak);
    again.hidden = first.size === 0;
    missed.hidden = !done || right === items.length;
    result.hidden = !done || !goals.length;
    if (!done) return;
    result.replaceChildren(h("p", { class: "nfig-h" }, "By objective"), h("ul", {}, ...byObjective(goals, items, first).map(row)));
  }
  function row({ text, asked, right, read }) {
    const links = read.flatMap((anchor, i) => [i ? ", " : " Read again: ", sectionLink(anchor)]);
    return h("li", { class: right === asked ? "nfig-right" : "nfig-miss" }, h("b", {}, `${right} of ${asked}`), ": ", markup("span", {}, text), ".",
      ...links, read.length ? "." : "");
  }
  function keep() {
    if (!chapter || first.size < all.length) return;
    const before = store.read("quiz." + chapter), right = [...first.values()].filter(Boolean).length;
    store.write("quiz." + chapter, { best: Math.min(all.length, Math.max(right, before?.best ?? 0)), of: all.length,
      rounds: (before?.rounds ?? 0) + 1, missed: all.filter((q) => !first.get(q.id)).map((q) => q.id) });
  }
  function question(item, n) {
    const name = uid(), why = status("nfig-why");
    const radios = item.options.map((option, i) => h("input", { type: "radio", name, id: name + i, value: i }));
    const check = button("Check", () => {
      const i = radios.findIndex((r) => r.checked);
      if (i < 0) { why.textContent = "Choose an option first."; return; }
      const option = item.options[i], right = Boolean(option.correct);
      why.className = "nfig-why " + (right ? "nfig-right" : "nfig-miss");
      why.replaceChildren(h("b", {}, right ? "✓ Right. " : "✗ Not this one. "), markup("span", {}, option.why));
      if (first.has(item.id)) return;
      first.set(item.id, right);
      streak = right ? streak + 1 : 0;
      count();
      keep();
    });
    return h("fieldset", { "data-question": item.id, tabindex: "-1" },
      h("legend", {}, h("span", { class: "nfig-no" }, `${n + 1}. `), markup("span", {}, item.question)),
      ...item.options.map((option, i) => h("div", { class: "nfig-option" }, radios[i],
        markup("label", { for: name + i }, option.text))), check, why);
  }
  const build = () => { first = new Map(); streak = 0; list.replaceChildren(...items.map(question)); count(); };
  // Every new round has the options of each question in an order that differs from the one before.
  const orders = new Map(all.map((q) => [q.id, q.options]));
  function round(ids) {
    ids.forEach((id) => orders.set(id, remixed(orders.get(id))));
    items = all.filter((q) => ids.includes(q.id)).map((q) => ({ ...q, options: orders.get(q.id) }));
    build();
  }
  const begin = (ids) => { round(ids); list.querySelector("input").focus(); };
  const again = button("Try again", () => begin(all.map((q) => q.id)));
  const missed = button("Only the missed ones", () => begin(items.filter((q) => !first.get(q.id)).map((q) => q.id)));
  el.append(list, result, bar(score, missed, again), line);
  if (chapter && store.read("quiz." + chapter)?.rounds) round(all.map((q) => q.id));
  else build();
  return frame.off;
}
export default { render };
