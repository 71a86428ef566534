// Practice test: one fieldset a question, an explanation for whichever option was chosen, a count at the end.
import { bar, button, h, markup, root, status, uid } from "./kit.js";

export function verdict(right, asked, total) {
  if (!asked) return `${total} questions. The first answer you check counts.`;
  if (asked < total) return `${right} of ${asked} right so far, ${total - asked} to go.`;
  return `${right} of ${total} right.` + (right === total ? " All of them." : " Read the explanations of those you missed, then try again.");
}

function render({ model, el }) {
  const frame = root(el), items = model.get("items"), score = status("nfig-say nfig-score");
  let first;                                        // question -> was the first checked answer right?
  const list = h("div");
  const count = () => {
    score.textContent = verdict([...first.values()].filter(Boolean).length, first.size, items.length);
    again.hidden = first.size === 0;
  };
  function question(item, n) {
    const name = uid(), why = status("nfig-why");
    const radios = item.options.map((option, i) => h("input", { type: "radio", name, id: name + i, value: i }));
    const check = button("Check", () => {
      const i = radios.findIndex((r) => r.checked);
      if (i < 0) { why.textContent = "Choose an option first."; return; }
      const option = item.options[i];
      why.className = "nfig-why " + (option.correct ? "nfig-right" : "nfig-miss");
      why.replaceChildren(h("b", {}, option.correct ? "✓ Right. " : "✗ Not this one. "), markup("span", {}, option.why));
      if (!first.has(n)) first.set(n, Boolean(option.correct));
      count();
    });
    return h("fieldset", {}, h("legend", {}, h("span", { class: "nfig-no" }, `${n + 1}. `), markup("span", {}, item.question)),
      ...item.options.map((option, i) => h("div", { class: "nfig-option" }, radios[i],
        markup("label", { for: name + i }, option.text))), check, why);
  }
  const build = () => { first = new Map(); list.replaceChildren(...items.map(question)); count(); };
  const again = button("Try again", () => { build(); list.querySelector("input").focus(); });
  el.append(list, bar(score, again));
  build();
  return frame.off;
}
export default { render };
