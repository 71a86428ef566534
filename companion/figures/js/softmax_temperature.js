// Softmax of three logits: as the formula says in float32, and with the largest logit taken away first.
import { columns, controls, fmt, h, hatch, key, panel, plot, put, root, s, sci, status } from "./kit.js";

const total = (v) => v.reduce((a, b) => a + b, 0);

export function stable(logits, t) {
  const top = Math.max(...logits), e = logits.map((z) => Math.exp((z - top) / t)), sum = total(e);
  return { exponents: logits.map((z) => (z - top) / t), e, sum, p: e.map((v) => v / sum) };
}

// Every intermediate number rounded to float32, as a tensor would hold it.
export function naive(logits, shift, t) {
  const f = Math.fround, exponents = logits.map((z) => f(f(f(z) + f(shift)) / f(t))), e = exponents.map((z) => f(Math.exp(z)));
  const sum = e.reduce((a, b) => f(a + b));
  return { exponents, e, sum, p: e.map((v) => f(v / sum)) };
}

export const entropy = (p) => total(p.map((v) => (v > 0 ? -v * Math.log(v) : 0)));

function render({ model, el }) {
  const frame = root(el), names = model.get("names");
  const C = controls(frame, model, { update, show: { logT: (v) => fmt(10 ** v, 2) } }), S = C.S;
  const logits = () => names.map((name) => S[`z${name}`]);
  const say = status(), head = h("output", { class: "nfig-big" }), facts = h("p", { class: "nfig-sum" }), H = h("b", { class: "nfig-entropy" });
  const body = h("tbody"), stripes = hatch("nfig-b");
  const T = () => 10 ** S.logT;
  const picture = plot(frame, { x: [0, 3], y: [0, 1], xticks: 0, yticks: 4, xlabel: "class", ylabel: "probability",
    label: "Probability of each class, stable and naive" }, (p) => {
    const good = stable(logits(), T()).p, bad = naive(logits(), S.shift, T()).p, wide = p.w / 3 * 0.34;
    p.area.append(stripes.defs);
    names.forEach((name, i) => {
      const mid = p.X(i + 0.5), bar = (v, x, cls, fill) => {
        const b = s("rect", { x, y: p.Y(v), width: wide, height: Math.max(0, p.high - p.Y(v)), class: cls });
        if (fill) b.setAttribute("style", fill);
        return b;
      };
      p.area.append(bar(good[i], mid - wide - 2, "nfig-bar-a"));
      if (Number.isNaN(bad[i])) p.area.append(s("text", { x: mid + 2 + wide / 2, y: p.high - 8, class: "nfig-nan" }, "nan"));
      else p.area.append(bar(bad[i], mid + 2, "nfig-bar-b"), bar(bad[i], mid + 2, "nfig-bar-b", stripes.fill));
      p.area.append(s("text", { x: mid, y: 14, class: "nfig-under" }, `${name}: ${fmt(good[i], 3)}`));
    });
  });

  // Where the exponents lie, and between which ends the exponential of a float32 is neither 0 nor inf.
  const scale = plot(frame, { x: [-330, 330], y: [0, 1], aspect: 0.12, xticks: 5, yticks: 0, xlabel: "exponent (z + c) / T",
    ylabel: "shaded: exp stays inside float32", label: "Exponents of the naive formula on a line, with the range that float32 can take" }, (p) => {
    const [low, high] = model.get("limits"), left = p.X(low);
    p.area.append(s("rect", { x: left, y: 0, width: p.X(high) - left, height: p.high, class: "nfig-safe" }));
    naive(logits(), S.shift, T()).exponents.forEach((e, i) => {
      const x = p.X(Math.max(-326, Math.min(326, e)));
      p.area.append(s("path", { d: `M${x} 2V${p.high - 2}`, class: e > high || e < low ? "nfig-tick-bad" : "nfig-tick", "stroke-dasharray": ["", "6 3", "2 3"][i] }));
    });
  });

  function update() {
    const t = T(), good = stable(logits(), t), bad = naive(logits(), S.shift, t), e = entropy(good.p);
    const win = good.p.indexOf(Math.max(...good.p)), broken = bad.p.some(Number.isNaN);
    const line = (title, id, v, show) => h("tr", { "data-row": id }, h("th", { scope: "row" }, title),
      ...v.map((x) => { const c = h("td", { class: Number.isFinite(x) ? "" : "nfig-ink-bad" }); put(c, x, show(x)); return c; }));
    const three = (v) => fmt(v, 3), wide = (v) => sci(v, 3);
    body.replaceChildren(
      line("(z + c) / T", "naive-z", bad.exponents, (v) => fmt(v, 2)), line("naive exp", "naive-e", bad.e, wide),
      line("naive p", "naive-p", bad.p, three), line("(z − max) / T", "stable-z", good.exponents, (v) => fmt(v, 2)),
      line("stable exp", "stable-e", good.e, wide), line("stable p", "stable-p", good.p, three));
    put(H, e, fmt(e, 3));
    facts.replaceChildren(`naive sum ${sci(bad.sum, 3)}, stable sum ${sci(good.sum, 3)}; entropy, how even the shares are: `, H,
      ` of at most ${fmt(Math.log(names.length), 3)} nats`);
    put(head, good.p[win], `${names[win]} has ${fmt(100 * good.p[win], 1)} %`);
    say.textContent = `Temperature ${fmt(t, 2)}, shift ${fmt(S.shift, 0)}: class ${names[win]} leads with ${fmt(100 * good.p[win], 1)} %. ` +
      (!broken ? "Naive and stable agree." : bad.sum === 0 ? "Every naive exponential underflowed to 0: 0 / 0 is nan. The stable bars stand still." :
        "A naive exponential overflowed to inf: inf / inf is nan. The stable bars stand still.");
    picture.draw();
    scale.draw();
  }
  const table = h("table", { class: "nfig-table" }, h("caption", {}, "What has to be held on the way"),
    h("thead", {}, h("tr", {}, h("td", {}), ...names.map((n) => h("th", { scope: "col" }, n)))), body);
  el.append(columns(h("div", {}, picture.node, key(["nfig-ink-a", "■", "stable"], ["nfig-ink-b", "▨", "naive, float32"]), scale.node),
    panel(head, ...Object.values(C.rows))), table, facts, say, C.foot);
  update();
  return frame.off;
}
export default { render };
