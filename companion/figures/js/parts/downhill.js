// The way of gradient descent over a surface.

/**
 * The places, the first one among them; the way ends early once a weight is beyond `far`.
 * @param {(w: number[]) => number[]} slope
 * @param {number[]} w
 * @param {number} lr
 * @param {number} n  steps
 * @param {number} momentum  how much of the last direction is kept
 * @param {number} far
 */
export function downhill(slope, w, lr, n, momentum = 0, far = Infinity) {
  const way = [w];
  for (let k = 0, v = w.map(() => 0); k < n && w.every((x) => Math.abs(x) <= far); k++) {
    const g = slope(w);
    v = v.map((u, i) => momentum * u + g[i]);
    way.push(w = w.map((x, i) => x - lr * v[i]));
  }
  return way;
}
