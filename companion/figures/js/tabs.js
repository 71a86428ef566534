// Tabs after the WAI-ARIA pattern: arrow keys move, Home and End jump, one tab stop.
import { h, markup, root, uid } from "./kit.js";

function render({ model, el }) {
  const frame = root(el), tabs = model.get("tabs"), ids = tabs.map(() => uid());
  const heads = tabs.map((t, i) => h("button", { type: "button", role: "tab", id: ids[i], "aria-controls": ids[i] + "p",
    onclick: () => show(i) }, t.title));
  const panels = tabs.map((t, i) => markup("div", { role: "tabpanel", id: ids[i] + "p", "aria-labelledby": ids[i], tabindex: 0 }, t.html));
  function show(n) {
    heads.forEach((b, i) => {
      b.setAttribute("aria-selected", i === n);
      b.tabIndex = i === n ? 0 : -1;
      panels[i].hidden = i !== n;
    });
  }
  const list = h("div", { role: "tablist", class: "nfig-tabs", "aria-label": model.get("label") || "Choose a version" }, ...heads);
  frame.keys(list, (e) => {
    const n = heads.indexOf(e.target), to = { ArrowRight: n + 1, ArrowLeft: n - 1, Home: 0, End: -1 }[e.key];
    if (n < 0 || to === undefined) return;
    e.preventDefault();
    const i = (to + heads.length) % heads.length;
    show(i);
    heads[i].focus();
  });
  el.append(list, ...panels);
  show(0);
  return frame.off;
}
export default { render };
