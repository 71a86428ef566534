// The reader's own progress over the chapters: shown, saved as a file, taken from one, erased.
import { bar, button, endOfDay, h, keepsake, markup, root, status, uid } from "./kit.js";

const LARGEST = 2e6; // bytes of a file that is read at all

/**
 * What is kept of one chapter, in the columns of the table.
 * @param {{id: string, objectives: string[], questions: number, cards: string[]}} chapter
 * @param {(name: string) => any} read
 * @param {number} now
 */
export function standing(chapter, read, now) {
  const done = read("objectives." + chapter.id) ?? [], quiz = read("quiz." + chapter.id), cards = read("cards." + chapter.id) ?? {};
  const met = chapter.cards.filter((key) => cards[key]), tonight = endOfDay(now);
  return {
    objectives: `${chapter.objectives.filter((id) => done.includes(id)).length} of ${chapter.objectives.length}`,
    quiz: quiz ? `${quiz.best} of ${quiz.of}` : "not yet",
    due: met.filter((key) => cards[key].due < tonight).length,
    met: `${met.length} of ${chapter.cards.length}`,
  };
}

// On the site chapters are pages beside this one; in a notebook a title has to do.
function titleOf({ id, title, page }) {
  const words = markup("span", {}, `${id} ${title}`);
  return document.documentElement.dataset.content_root === undefined ? words : h("a", { href: page + ".html" }, words);
}

const HEADS = ["chapter", "objectives ticked", "best test", "cards due today", "cards begun"];

function table(chapters, read) {
  const rows = chapters.map((chapter) => {
    const { objectives, quiz, due, met } = standing(chapter, read, Date.now());
    return h("tr", {}, h("th", { scope: "row" }, titleOf(chapter)), ...[objectives, quiz, due, met].map((v) => h("td", {}, v)));
  });
  return h("table", { class: "nfig-table nfig-progress" }, h("thead", {}, h("tr", {}, ...HEADS.map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", {}, ...rows));
}

// Gives the reader a file; the link lives for as long as the click.
function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url));
}

function render({ model, el }) {
  const frame = root(el), chapters = model.get("chapters"), say = status(), place = h("div", { class: "nfig-scroll", tabindex: "0", role: "region", "aria-label": "Progress by chapter" });
  const { store, line } = keepsake(frame, () => show());
  const id = uid(), name = h("input", { type: "text", id, maxlength: 60, autocomplete: "off", onchange: () => store.write("name", name.value.trim()) });
  const hello = h("p", { class: "nfig-h" });
  function show() {
    const called = store.read("name") || "";
    hello.textContent = called ? `Progress of ${called}` : "Your progress";
    if (document.activeElement !== name) name.value = called;
    place.replaceChildren(table(chapters, store.read));
  }
  const file = h("input", { type: "file", accept: ".json,application/json", class: "nfig-hidden", tabindex: "-1", "aria-label": "File with your progress", onchange: async () => {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    say.textContent = chosen.size > LARGEST ? "Nothing was taken: the file is larger than 2 MB." : store.imported(await chosen.text());
  } });
  const out = button("Save as a file", () => {
    const day = new Date().toISOString().slice(0, 10);
    save(store.exported(Date.now()), `progress-${day}.json`);
    say.textContent = "The file is in your downloads. Another browser can take it here.";
  });
  const taken = button("Take from a file", () => file.click());
  const erase = button("Erase everything", () => { sure.hidden = false; no.focus(); });
  const yes = button("Yes, erase", () => { store.erase(); sure.hidden = true; erase.focus(); say.textContent = "Everything that this browser kept for the course is erased."; });
  const no = button("No, keep it", () => { sure.hidden = true; erase.focus(); say.textContent = "Nothing was erased."; });
  const sure = h("div", { class: "nfig-sure", role: "group", "aria-label": "Erase everything?", hidden: true },
    h("p", {}, "This erases check marks, results, cards and places of all chapters in this browser. A saved file can bring them back."), bar(no, yes));
  el.append(hello, h("div", { class: "nfig-row nfig-name" }, h("label", { for: id }, "Name, if you like"), name), place,
    h("p", {}, "Kept are the name, the objectives you ticked, your best practice tests, when each card comes back, your longest streaks, and where you stopped " +
      "listening. All of it lies in this browser's local storage. There is no account, no cookie, and nothing is sent anywhere."),
    bar(out, taken, erase), file, sure, say, line);
  show();
  return frame.off;
}
export default { render };
