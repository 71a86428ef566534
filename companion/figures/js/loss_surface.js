// The loss of one neuron over its two weights: a surface to be turned, a ball on it, its way downhill, and the cut along one weight.
import { arrow, columns, controls, drag, fact, fmt, h, key, panel, path, plot, plural, put, root, s, sigmoid, status, ticks } from "./kit.js";
import { downhill } from "./parts/downhill.js";

/**
 * The mean loss of one neuron over the examples, and its slopes along both weights.
 * @param {string} kind  "bowl", "entropy" or "square"
 * @param {number[]} w
 * @param {number[][]} points  two inputs and the target of each example
 */
export function lossAt(kind, [w1, w2], points) {
  let loss = 0, g1 = 0, g2 = 0;
  for (const [a, b, t] of points) {
    const z = w1 * a + w2 * b, p = sigmoid(z), miss = (kind === "bowl" ? z : p) - t;
    const slope = kind === "bowl" ? 2 * miss : kind === "entropy" ? miss : 2 * miss * p * (1 - p);
    loss += kind === "entropy" ? Math.max(z, 0) - t * z + Math.log1p(Math.exp(-Math.abs(z))) : miss * miss;
    g1 += slope * a;
    g2 += slope * b;
  }
  return { loss: loss / points.length, slope: [g1 / points.length, g2 / points.length] };
}

/**
 * A place of the box as it is seen from afar: to the right, upwards, and how far away. The ground goes from −1 to 1.
 * @param {number[]} place  ground and height
 * @param {number} turn  degrees
 * @param {number} tilt  degrees
 * @param {number} high  height of the box
 */
export function seen([u, v, height], turn, tilt, high) {
  const a = turn * Math.PI / 180, b = tilt * Math.PI / 180, away = u * Math.sin(a) + v * Math.cos(a);
  return [u * Math.cos(a) - v * Math.sin(a), away * Math.sin(b) + (height - high / 2) * Math.cos(b), away];
}

const clip = (v) => Math.max(-1, Math.min(1, v)), few = (v) => fmt(v, Math.abs(v) >= 10 ? 2 : 4), round = (v) => v.toFixed(1), percent = (v) => `${fmt(100 * v, v && v < 0.01 ? 3 : 1)} %`;
const line = (n) => Array.from({ length: n + 1 }, (_, i) => -1 + 2 * i / n), words = (x, y, t, anchor = "middle") => `<text text-anchor="${anchor}" x="${round(x)}" y="${round(y)}">${t}</text>`;

function render({ model, el }) {
  const frame = root(el), C = controls(frame, model, { update }), S = C.S, last = C.spec("step").last;
  const [points, edge, N, tops, lr, plain, high, lowest] = ["points", "edge", "cells", "tops", "lr", "plain", "high", "lowest"].map((k) => model.get(k));
  const say = status(), head = h("output", { class: "nfig-big" }), out = ["g1", "g2", "end", "share"].map((k) => h("dd", { class: `nfig-${k}` }));
  let /** @type {any} */ way = [[0, 0]], here = { loss: 0, slope: [0, 0] };
  const ball = () => way[S.step], look = (w) => lossAt(S.loss, w, points), top = () => tops[S.loss], middle = (i) => (2 * i + 1) / N - 1, heightAt = (u, v) => look([edge * u, edge * v]).loss / top() * high;

  const surface = plot(frame, { x: [-1, 1], y: [-1, 1], aspect: 0.74, xticks: [], yticks: [], xlabel: "", ylabel: "", group: true, label: "Loss over both weights; arrow keys turn and tilt it" }, (p) => {
    const scale = p.w / 3, at = (u, v, z = 0) => { const [x, y, away] = seen([u, v, z], S.turn, S.tilt, high); return [p.w / 2 + scale * x, p.high / 2 - scale * y, away]; };
    const spot = (w) => { const [u, v] = w.map((v) => clip(v / edge)); return at(u, v, heightAt(u, v)); }, text = (q) => q.slice(0, 2).map(round).join(" ");
    const net = line(N).map((u) => line(N).map((v) => { const z = heightAt(u, v); return [z, text(at(u, v, z))]; })), depth = (i, j) => at(middle(i), middle(j))[2];
    // Everything with its distance: what is far is painted first, what lies on a cell right after it.
    const parts = [];
    for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) {
      const ring = [net[i][j], net[i + 1][j], net[i + 1][j + 1], net[i][j + 1]], tint = 8 + 36 * (ring[0][0] + ring[2][0]) / high;
      parts.push([depth(i, j), `<path class="nfig-facet" data-at="${i} ${j}" style="--tint:${round(tint)}%" d="M${ring.map((q) => q[1]).join("L")}z"/>`]);
    }
    const strip = (places, cls) => places.slice(1).forEach((q, k) => {
      const [i, j] = [0, 1].map((c) => Math.min(N - 1, Math.floor((clip((places[k][c] + q[c]) / 2 / edge) + 1) / 2 * N)));
      parts.push([depth(i, j) - 1e-6, `<path class="${cls}" d="M${text(spot(places[k]))}L${text(spot(q))}"/>`]);
    });
    const dot = (w, r, cls, nearer) => { const [x, y, away] = spot(w); parts.push([away - nearer / N, `<circle class="${cls}" cx="${round(x)}" cy="${round(y)}" r="${r}"/>`]); };
    strip(line(2 * N).map((u) => [edge * u, ball()[1]]), "nfig-curve-b");
    way.slice(0, S.step).forEach((a, k) => {
      const b = way[k + 1], n = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / edge * N) || 1;
      strip(line(n).map((t) => [0, 1].map((c) => a[c] + (b[c] - a[c]) * (t + 1) / 2)), "nfig-tangent");
      dot(a, k ? 1 : 5, k ? "nfig-line" : "nfig-dot-a", 2);
    });
    dot(ball(), 7, "nfig-dot-b", 3);
    parts.sort((a, b) => b[0] - a[0]);
    // The ground, the numbers along the two edges in front, and an upright at the far left.
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]], heart = at(0, 0), near = corners.reduce((a, b) => (at(...b)[2] < at(...a)[2] ? b : a));
    const names = ["w₁", "w₂"].map((name, k) => {
      const place = (t) => (k ? at(near[0], t / edge) : at(t / edge, near[1])), [dx, dy] = [0, 1].map((c) => place(0)[c] - heart[c]), far = Math.hypot(dx, dy);
      return [-5, 5, 0].map((t) => { const [x, y] = place(t), off = (t ? 15 : 34) / far; return words(x + off * dx, y + off * dy + 4, t ? fmt(t, 0) : name); }).join("");
    });
    const left = corners.reduce((a, b) => (at(...b)[0] < at(...a)[0] - 0.1 ? b : a)), upright = (t) => at(...left, t / top() * high), [x0, y0] = upright(top());
    const rise = ticks([0, top()], 2).slice(1).map((t) => { const [x, y] = upright(t); return `<path d="M${round(x)} ${round(y)}h-5"/>${words(x - 7, y + 4, fmt(t, t < 1 ? 1 : 0), "end")}`; });
    p.svg.firstChild.replaceChildren();
    p.above.innerHTML = `<g class="nfig-axes"><path d="M${corners.map((q) => text(at(...q))).join("L")}zM${text(at(...left))}L${x0} ${y0}"/>${rise.join("")}${words(x0, y0 - 10, "loss")}${names.join("")}</g><g class="nfig-facets">${parts.map(([, t]) => t).join("")}</g>`;
    const [x, y] = spot(ball()), [x1, y1] = spot(ball().map((v, i) => v - lr * here.slope[i]));
    p.above.append(s("circle", { cx: x, cy: y, r: 7, class: "nfig-pick" }), Math.hypot(x1 - x, y1 - y) > 12 ? arrow(x, y, x1, y1, "nfig-arrow") : "");
  });
  const cut = plot(frame, { x: [-edge, edge], y: [0, 1], aspect: 0.34, xticks: 4, yticks: 2, xlabel: "weight w₁ alone", ylabel: "loss", label: "The cut along w₁, with the ball" }, (p) => {
    const [a, b] = ball();
    p.area.append(path(p, line(96).map((u) => [edge * u, look([edge * u, b]).loss]), "nfig-curve-b"),
      path(p, [-2.5, 2.5].map((d) => [a + d, here.loss + d * here.slope[0]]), "nfig-tangent"), s("circle", { cx: p.X(a), cy: p.Y(here.loss), r: 6, class: "nfig-dot-b" }));
  });

  function update() {
    const low = lowest[S.loss];
    way = downhill((w) => look(w).slope, [S.w1, S.w2], lr, last);
    here = look(ball());
    const first = look(way[0]).loss, end = look(way[last]).loss, size = Math.hypot(...here.slope), bottom = (v) => v - low < 0.002 * top(), share = (v) => (bottom(first) ? 1 : (first - v) / (first - low));
    put(head, here.loss, `loss ${few(here.loss)}`);
    [here.slope[0], here.slope[1], end].forEach((v, i) => put(out[i], v, few(v)));
    put(out[3], share(here.loss), percent(share(here.loss)));
    const next = `the next step is ${few(lr * size)} long`, [a, b] = ball().map((v) => fmt(v, S.step ? 2 : 1));
    say.textContent = `${S.step ? `After ${plural(S.step, "step")} of learning rate ${lr} the` : "The"} ball is at w₁ = ${a} and w₂ = ${b}, where the loss is ${few(here.loss)}. ` +
      (bottom(here.loss) ? `This is the bottom: the slope is ${few(size)}. ` : size < plain ? `It stands on a plain: the slope is only ${few(size)}, so ${next}. ` : `It stands on a slope of ${few(size)}, and ${next}. `) +
      (bottom(first) ? "" : `${last} steps from the start lead ${percent(share(end))} of the way down. `) + `You look from ${fmt(S.turn, 0)}° round and ${S.tilt}° up.`;
    cut.y = [0, top()];
    surface.draw();
    cut.draw();
  }

  const turned = (turn, tilt) => { if (turn !== S.turn || tilt !== S.tilt) C.move({ turn: ((turn + 179) % 360 + 360) % 360 - 179, tilt }); };
  let held = [0, 0, 0, 0];
  drag(surface, (x, y) => turned(Math.round(held[2] + 90 * (x - held[0])), Math.round(held[3] - 40 * (y - held[1]))), (x, y) => Boolean(held = [x, y, S.turn, S.tilt]), "nfig-grab");
  surface.svg.addEventListener("click", (e) => {
    const found = held[2] === S.turn && held[3] === S.tilt && document.elementFromPoint(e.clientX, e.clientY)?.getAttribute("data-at");
    if (found) { const [w1, w2] = found.split(" ").map((k) => edge * middle(+k)); C.move({ w1, w2, step: 0 }); }
  });
  surface.svg.setAttribute("tabindex", "0");
  const moves = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, 5], ArrowDown: [0, -5] };
  frame.keys(surface.svg, (e) => { const by = moves[e.key]; if (by) { e.preventDefault(); turned(S.turn + by[0], S.tilt + by[1]); } });
  drag(cut, (w1) => C.move({ w1, step: 0 }));
  el.append(columns(h("div", {}, surface.node, key(["nfig-ink-b", "●", "ball"], ["nfig-good-ink", "→", "next step"], ["nfig-ink-a", "●", "start"], ["", "━", "steps"], ["nfig-ink-b", "━", "cut along w₁"], ["", "✥", "drag to turn, tap for the ball"]), cut.node),
    panel(C.rows.loss, head, C.rows.w1, C.rows.w2, C.rows.turn, C.rows.tilt, h("dl", { class: "nfig-facts" }, fact("slope along w₁", out[0]), fact("slope along w₂", out[1]), fact("way down so far", out[3]),
      fact(`loss after ${last} steps`, out[2])))), C.rows.step, say, C.foot);
  update();
  return frame.off;
}
export default { render };
