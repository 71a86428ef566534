// What the reader can do after the chapter: boxes to tick, and where to show it.
import { h, keepsake, markup, root, status, uid } from "./kit.js";

/**
 * The count in words.
 * @param {number} done
 * @param {number} total
 */
export function tally(done, total) {
  if (!done) return "Nothing is ticked yet.";
  return done === total ? `All ${total} are ticked.` : `${done} of ${total} ticked.`;
}

// On a page of the course each exercise has a link whose text begins with its number; in a notebook the number has to do.
// The words are those of the page without scripts (figures/aids.py), so that nothing below moves when the boxes come.
function exercise(id) {
  const link = [...document.querySelectorAll("a[href*='exercises/']")].find((a) => a.textContent.trim().startsWith(id + " "));
  return link ? h("a", { href: link.getAttribute("href"), title: link.textContent.trim() }, `exercise ${id}`) : `exercise ${id}`;
}

// The questions of the practice test that belong to an objective: a link that goes to the first one.
function questions(ids) {
  const words = ids.length === 1 ? "one question of the practice test" : `${ids.length} questions of the practice test`;
  if (!document.querySelector("[data-nfig=quiz]")) return words;
  return h("a", { href: "#practice-test", onclick: (e) => {
    const field = /** @type {HTMLElement} */ (document.querySelector(`[data-question="${ids[0]}"]`));
    if (!field) return;
    e.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  } }, words);
}

function render({ model, el }) {
  const frame = root(el), items = model.get("items"), key = "objectives." + model.get("chapter"), say = status("nfig-say nfig-tally");
  const { store, line } = keepsake(frame, (name) => { if (name === "" || name === key) show(); });
  const boxes = items.map((_item) => h("input", { type: "checkbox", id: uid(), onchange: () => {
    store.write(key, items.filter((_, i) => boxes[i].checked).map(({ id }) => id));
  } }));
  function show() {
    const done = store.read(key) ?? [];
    items.forEach(({ id }, i) => { boxes[i].checked = done.includes(id); });
    say.textContent = tally(boxes.filter((b) => b.checked).length, items.length);
  }
  const row = (item, i) => {
    const shownBy = [...item.exercises.map(exercise), ...(item.questions.length ? [questions(item.questions)] : [])];
    const links = shownBy.flatMap((node, k) => [k ? ", " : "", node]);
    return h("li", {}, boxes[i], h("div", {}, markup("label", { for: boxes[i].id }, item.text),
      h("p", { class: "nfig-shown" }, shownBy.length ? "Shown by: " : "", ...links)));
  };
  el.append(h("p", { class: "nfig-h" }, "After this chapter you can"), h("ul", { class: "nfig-goals" }, ...items.map(row)), say, line);
  show();
  return frame.off;
}
export default { render };
