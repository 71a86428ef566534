// One neuron on two measurements of a flower: three sliders, the boundary, and who is on the wrong side.
import { arrow, boundary, columns, controls, drag, fmt, halfPlane, h, hatch, key, marker, panel, path, plot, plural, put,
  region, root, s, signed, status } from "./kit.js";

/**
 * Measurements and sliders have one decimal, so z has two. Rounding keeps a flower that lies on the line at exactly 0;
 * otherwise the last bit of a product would choose its side.
 * @param {number} w1
 * @param {number} w2
 * @param {number} b
 * @param {number[]} x
 */
export const weightedSum = (w1, w2, b, x) => Math.round((w1 * x[0] + w2 * x[1] + b) * 1e9) / 1e9;

/**
 * How many of each class are called the other: [class 0 called 1, class 1 called 0].
 * @param {number[][]} points
 * @param {number} w1
 * @param {number} w2
 * @param {number} b
 */
export function mistakes(points, w1, w2, b) {
  const wrong = [0, 0];
  for (const [x1, x2, target] of points) {
    if (+(weightedSum(w1, w2, b, [x1, x2]) >= 0) !== target) wrong[target] += 1;
  }
  return wrong;
}

/**
 * Of a line that misses a rectangle: the corner that it comes nearest to, and how far from that it is.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} w1
 * @param {number} w2
 * @param {number} b
 */
export function outside(xs, ys, w1, w2, b) {
  const all = xs.flatMap((x) => ys.map((y) => ({ corner: [x, y], distance: Math.abs(w1 * x + w2 * y + b) / Math.hypot(w1, w2) })));
  return all.reduce((best, one) => (one.distance < best.distance ? one : best));
}

function render({ model, el }) {
  const frame = root(el), points = model.get("points"), names = model.get("names");
  const say = status(), count = h("output", { class: "nfig-big" }), sum = h("p", { class: "nfig-sum" });
  const zOut = h("b", { class: "nfig-z" }), stripes = hatch("nfig-b");
  const C = controls(frame, model, { update, show: { flower: (v) => `${v} ${names[points[v - 1][2]]}` } }), S = C.S;
  const B = () => (S.origin ? 0 : S.b);

  const picture = plot(frame, { x: model.get("x"), y: model.get("y"), aspect: 0.5, xlabel: model.get("features")[0],
    ylabel: model.get("features")[1], label: "Flowers, the neuron's boundary and its weight vector" }, (p) => {
    const { w1, w2 } = S, b = B(), ends = boundary(p.x, p.y, w1, w2, b);
    p.area.append(stripes.defs, region(p, halfPlane(p.x, p.y, w1, w2, b), "nfig-side-b"),
      region(p, halfPlane(p.x, p.y, -w1, -w2, -b), "nfig-side-a"));
    const striped = region(p, halfPlane(p.x, p.y, w1, w2, b), "");
    striped.setAttribute("style", stripes.fill);
    p.area.append(striped, s("path", { class: "nfig-zero", d: `M${p.X(0)} 0V${p.high}M0 ${p.Y(0)}H${p.w}` }));
    points.forEach(([x1, x2, t], i) => {
      const x = p.X(x1), y = p.Y(x2), wrong = +(weightedSum(w1, w2, b, [x1, x2]) >= 0) !== t;
      if (wrong) p.area.append(s("circle", { cx: x, cy: y, r: 8, class: "nfig-wrong" }));
      p.area.append(marker(x, y, t ? "nfig-dot-b" : "nfig-dot-a", t, i === S.flower - 1 ? 6 : 3.6));
    });
    const [f1, f2] = points[S.flower - 1];
    p.area.append(s("circle", { cx: p.X(f1), cy: p.Y(f2), r: 11, class: "nfig-pick" }));
    if (ends) {
      const m = [0, 1].map((k) => (ends[0][k] + ends[1][k]) / 2);
      p.area.append(path(p, ends, "nfig-line"),
        arrow(p.X(m[0]), p.Y(m[1]), p.X(m[0] + w1), p.Y(m[1] + w2), "nfig-arrow"));
    } else {
      const far = outside(p.x, p.y, w1, w2, b), x = p.X(far.corner[0]), y = p.Y(far.corner[1]);
      p.area.append(s("text", { x: x ? x - 6 : 6, y: y ? y - 8 : 16, "text-anchor": x ? "end" : "start", class: "nfig-name" },
        Number.isFinite(far.distance) ? `${x ? "" : "← "}the line is ${fmt(far.distance)} cm away${x ? " →" : ""}` : "no line"));
      if (w1 || w2) p.area.append(arrow(p.X(2.5), p.Y(1), p.X(2.5 + w1), p.Y(1 + w2), "nfig-arrow"));
    }
  });

  function update() {
    C.part("b").input.disabled = S.origin;
    const { w1, w2 } = S, b = B(), wrong = mistakes(points, w1, w2, b), n = wrong[0] + wrong[1];
    const [x1, x2, t] = points[S.flower - 1], z = weightedSum(w1, w2, b, [x1, x2]), said = +(z >= 0);
    put(count, n, `${plural(n, "mistake")} out of ${points.length}`);
    count.classList.toggle("nfig-good", n === 0);
    sum.replaceChildren(`Flower ${S.flower}, a ${names[t]}: z = ${fmt(w1, 1)} · ${fmt(x1, 1)} ${signed(w2, 1)} · ` +
      `${fmt(x2, 1)} ${signed(b, 1)} = `, zOut, `, which is ${z >= 0 ? "not below 0" : "below 0"}: the neuron says ` +
      `${names[said]}, ${said === t ? "right" : "wrong"}.`);
    put(zOut, z);
    const crosses = boundary(picture.x, picture.y, w1, w2, b);
    say.textContent = (n === 0 ? "No mistakes: the line parts the two kinds. " :
      `${wrong[0]} ${names[0]} called ${names[1]}, ${wrong[1]} ${names[1]} called ${names[0]}. `) +
      (!w1 && !w2 ? "Both weights are 0: there is no line, every flower gets the same answer." :
        !crosses ? "The line lies outside of the picture." :
        S.origin ? "Without a bias the line passes through the origin, whatever the weights." :
        `The arrow is the weight vector (${fmt(w1, 1)}, ${fmt(w2, 1)}); it points to the side called ${names[1]}.`);
    picture.draw();
  }
  const nearest = (x, y) => {
    const far = points.map(([a, c]) => Math.hypot(a - x, c - y)), i = far.indexOf(Math.min(...far));
    return far[i] > 0.2 ? 0 : i + 1;
  };
  const pick = (x, y) => {
    const flower = nearest(x, y);
    if (flower && flower !== S.flower) C.change("flower", flower);
    return flower;
  };
  // A press on a flower asks about it; anywhere else it takes hold of the line, which follows without turning.
  drag(picture, (x, y) => C.change("b", -(S.w1 * x + S.w2 * y)), (x, y) => !pick(x, y) && !S.origin, "nfig-grab");
  picture.svg.addEventListener("pointermove", (e) => { if (!e.buttons) pick(...picture.at(e)); });
  el.append(columns(h("div", {}, picture.node, key(["nfig-ink-a", "●", names[0]], ["nfig-ink-b", "▲", names[1]],
    ["nfig-ink-b", "▨", `side called ${names[1]}`], ["nfig-ink-bad", "○", "mistake"],
    ["nfig-good-ink", "➔", "weight vector"], ["", "✥", "drag to shift the line"])),
  panel(count, C.rows.w1, C.rows.w2, C.rows.b, C.rows.origin, C.rows.flower)), sum, say, C.foot);
  update();
  return frame.off;
}
export default { render };
