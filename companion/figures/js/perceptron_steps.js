// The perceptron learning rule, one flower at a time. Every number was computed by companion.models.Perceptron.
import { boundary, columns, controls, fmt, halfPlane, h, inParens, key, marker, panel, path, plot, plural, put, region, root, s,
  signed, status } from "./kit.js";

// The sentence for one step; step 0 is the start.
export function describe(step, points, names) {
  if (!step) return "Start: both weights and the bias are 0, so z = 0 for every flower and there is no line yet.";
  const [x1, x2] = points[step.i];
  const miss = step.target - step.prediction;
  return `Epoch ${step.epoch}, flower ${step.i + 1}, a ${names[step.target]} (target ${step.target}). It says ` +
    `${step.prediction}: ` + (miss ? `wrong. ${miss > 0 ? "Add" : "Subtract"} the flower (${fmt(x1, 1)}, ${fmt(x2, 1)}) ` +
      `${miss > 0 ? "to" : "from"} the weights and ${miss > 0 ? "add 1 to" : "subtract 1 from"} the bias.` :
      "right, so nothing changes.");
}

function render({ model, el }) {
  const frame = root(el), points = model.get("points"), names = model.get("names"), steps = model.get("steps");
  const lr = model.get("lr"), say = status(), sums = h("div", { class: "nfig-sum" }), tally = h("output", { class: "nfig-big" });
  const numbers = Object.fromEntries(["z", "w1", "w2", "b"].map((k) => [k, h("b", { class: `nfig-${k}` })]));
  const C = controls(frame, model, { update }), S = C.S;
  const picture = plot(frame, { x: model.get("x"), y: model.get("y"), aspect: 0.5, xlabel: model.get("features")[0],
    ylabel: model.get("features")[1], label: "Twelve flowers, the line before the step dashed and after it solid" }, (p) => {
    const step = steps[S.step - 1];
    if (step) {
      const [w1, w2] = step.w, old = boundary(p.x, p.y, ...step.before.w, step.before.b), now = boundary(p.x, p.y, w1, w2, step.b);
      p.area.append(region(p, halfPlane(p.x, p.y, w1, w2, step.b), "nfig-side-b"),
        region(p, halfPlane(p.x, p.y, -w1, -w2, -step.b), "nfig-side-a"));
      if (old) p.area.append(path(p, old, "nfig-line nfig-dashed"));
      if (now) p.area.append(path(p, now, "nfig-line"));
    }
    points.forEach(([x1, x2, t], k) => {
      const here = step && step.i === k;
      if (here) {
        p.area.append(s("circle", { cx: p.X(x1), cy: p.Y(x2), r: 12,
          class: step.prediction === step.target ? "nfig-pick" : "nfig-wrong" }));
      }
      p.area.append(marker(p.X(x1), p.Y(x2), t ? "nfig-dot-b" : "nfig-dot-a", t, here ? 7 : 5));
    });
  });
  // The steps so far on a line: where the rule was wrong, and where the reader is. What comes is the reader's to predict.
  const strip = plot(frame, { x: [-1, steps.length + 1], y: [0, 1], aspect: 0.06, yticks: 0, xlabel: "step", ylabel: "mistakes",
    label: "The steps at which the rule made a mistake" }, (p) => {
    steps.slice(0, S.step).forEach((one, k) => {
      if (one.prediction !== one.target) p.area.append(s("path", { d: `M${p.X(k + 1)} 0V${p.high}`, class: "nfig-tick-bad" }));
    });
    p.area.append(s("path", { d: `M${p.X(S.step) - 6} 0h12l-6 9Z`, class: "nfig-ink-a" }));
  });
  function update() {
    const step = steps[S.step - 1];
    say.textContent = describe(step, points, names);
    put(numbers.w1, step ? step.w[0] : 0);
    put(numbers.w2, step ? step.w[1] : 0);
    put(numbers.b, step ? step.b : 0);
    if (step) {
      const [x1, x2] = points[step.i], { w, b } = step.before, miss = step.target - step.prediction;
      put(numbers.z, step.z);
      sums.replaceChildren(
        h("p", {}, `z = ${fmt(w[0])} · ${fmt(x1, 1)} ${signed(w[1])} · ${fmt(x2, 1)} ${signed(b)} = `, numbers.z,
          step.z >= 0 ? " ≥ 0" : " < 0"),
        h("p", {}, `error = target − prediction = ${step.target} − ${step.prediction} = ${fmt(miss, 0)}`),
        h("p", {}, `w₁ = ${fmt(w[0])} + ${fmt(lr, 0)} · ${inParens(miss, 0)} · ${fmt(x1, 1)} = `, numbers.w1),
        h("p", {}, `w₂ = ${fmt(w[1])} + ${fmt(lr, 0)} · ${inParens(miss, 0)} · ${fmt(x2, 1)} = `, numbers.w2),
        h("p", {}, `b = ${fmt(b)} + ${fmt(lr, 0)} · ${inParens(miss, 0)} = `, numbers.b));
    } else {
      put(numbers.z, 0);
      sums.replaceChildren(h("p", {}, "w₁ = ", numbers.w1), h("p", {}, "w₂ = ", numbers.w2), h("p", {}, "b = ", numbers.b));
    }
    put(tally, step ? step.mistakes : 0, step ? `epoch ${step.epoch}: ${plural(step.mistakes, "mistake")} so far` : "not started");
    picture.draw();
    strip.draw();
  }
  el.append(columns(h("div", {}, picture.node, key(["nfig-ink-a", "●", `${names[0]} (0)`], ["nfig-ink-b", "▲", `${names[1]} (1)`],
    ["", "╌", "line before"], ["", "━", "line after"]), strip.node), panel(tally, sums)), C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
