// Lines of equal height of a function over a rectangle, and a map of it.
import { drag, heat, path, plot, s } from "../kit.js";

/**
 * Short pieces of the lines, each from one edge of a cell to another, by straight interpolation along the edges.
 * @param {(x: number, y: number) => number} f
 * @param {number[]} across
 * @param {number[]} up
 * @param {number} m  cells across
 * @param {number} n  cells up
 * @param {number[]} levels
 * @returns {[number[], number[]][]}
 */
export function contours(f, [x0, x1], [y0, y1], m, n, levels) {
  const at = (i, j) => { const x = x0 + (x1 - x0) * i / m, y = y0 + (y1 - y0) * j / n; return [x, y, f(x, y)]; }, pieces = [];
  const net = Array.from({ length: m + 1 }, (_, i) => Array.from({ length: n + 1 }, (_r, j) => at(i, j)));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const ring = [net[i][j], net[i + 1][j], net[i + 1][j + 1], net[i][j + 1]];
      for (const level of levels) {
        const ends = ring.flatMap((p, k) => {
          const q = ring[(k + 1) % 4], t = (level - p[2]) / (q[2] - p[2]);
          return p[2] < level !== q[2] < level ? [[0, 1].map((c) => p[c] + t * (q[c] - p[c]))] : [];
        });
        for (let k = 0; k < ends.length; k += 2) pieces.push([ends[k], ends[k + 1]]);
      }
    }
  }
  return pieces;
}

/**
 * A map of a loss over w1 and w2 with its lines of equal height; the start of a path is dragged, placed by a tap, moved by arrow keys.
 * @param {any} frame
 * @param {any} C  the controls: surface, w1 and w2 among them
 * @param {number[]} edge
 * @param {string} label
 * @param {(w: number[]) => number} height
 * @param {() => number} bow  the larger, the closer the lines lie near height 0
 * @param {(p: any) => any[]} paint  what stands on it
 */
export function terrain(frame, C, edge, label, height, bow, paint) {
  const { S } = C, [xs, ys] = edge.map((e) => [-e, e]), shade = heat({ xs, ys, cells: 48, cls: "nfig-above" }), hand = s("g", { class: "nfig-handle" }, s("circle", { r: 16, class: "nfig-halo" }), s("circle", { r: 5 }));
  let drawn = "", /** @type {Element} */ lines;
  const map = plot(frame, { x: xs, y: ys, aspect: edge[1] / edge[0], xticks: 4, yticks: 3, xlabel: "weight w₁", ylabel: "weight w₂", group: true, label }, (p) => {
    const seen = S.surface + p.w;
    if (drawn !== seen) {
      const at = (x, y) => height([x, y]), top = Math.max(...xs.flatMap((x) => ys.map((y) => at(x, y))));
      shade.paint((x, y) => 0.5 * Math.min(1, at(x, y) / top) ** (1 / bow()));
      lines = s("path", { class: "nfig-zero", d: contours(at, xs, ys, 96, 72, [...Array(9).keys()].map((i) => top * ((i + 0.5) / 9) ** bow())).map((piece) => path(p, piece, "").getAttribute("d")).join("") });
      drawn = seen;
    }
    shade.move(0, 0, p.w, p.high);
    p.area.append(shade.node, lines, ...paint(p));
    hand.setAttribute("transform", `translate(${p.X(S.w1)} ${p.Y(S.w2)})`);
  });
  map.above.append(hand);
  drag(map, (w1, w2) => C.move({ w1, w2 }), undefined, "nfig-grab");
  map.svg.setAttribute("tabindex", "0");
  frame.keys(map.svg, (e) => {
    const i = ["Left", "Right", "Down", "Up"].indexOf(e.key.slice(5)), k = i < 2 ? "w1" : "w2";
    if (i < 0) return;
    e.preventDefault();
    C.move({ [k]: S[k] + (i % 2 ? 0.1 : -0.1) });
  });
  return map;
}
