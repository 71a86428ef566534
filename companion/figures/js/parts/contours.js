// Lines of equal height of a function over a rectangle.

/**
 * Short pieces of the lines, each from one edge of a cell to another, by straight interpolation along the edges.
 * @param {(x: number, y: number) => number} f
 * @param {number[]} across
 * @param {number[]} up
 * @param {number} columns
 * @param {number} rows
 * @param {number[]} levels
 * @returns {[number[], number[]][]}
 */
export function contours(f, [x0, x1], [y0, y1], columns, rows, levels) {
  const at = (i, j) => { const x = x0 + (x1 - x0) * i / columns, y = y0 + (y1 - y0) * j / rows; return [x, y, f(x, y)]; }, pieces = [];
  const net = Array.from({ length: columns + 1 }, (_c, i) => Array.from({ length: rows + 1 }, (_r, j) => at(i, j)));
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      const ring = [net[i][j], net[i + 1][j], net[i + 1][j + 1], net[i][j + 1]];
      for (const level of levels) {
        const ends = ring.flatMap((p, k) => {
          const q = ring[(k + 1) % 4], t = (level - p[2]) / (q[2] - p[2]);
          return p[2] < level !== q[2] < level ? [[p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]] : [];
        });
        for (let k = 0; k < ends.length; k += 2) pieces.push([ends[k], ends[k + 1]]);
      }
    }
  }
  return pieces;
}
