// A loss over two weights: a bowl or a saddle, with pits in it.

/** @typedef {{ bend: number[], quartic: number, lift: number, pits: number[][] }} Surface */

/**
 * Loss, gradient, and the largest and the smallest eigenvalue of the Hessian; sums and products in the order of figures/descent.py.
 * @param {Surface} surface
 * @param {number[]} w
 */
export function ground({ bend: [a, b], quartic, lift, pits }, [x, y]) {
  let loss = lift + (a * x * x + b * y * y) / 2 + quartic * y * y * y * y;
  let g1 = a * x, g2 = b * y + 4 * quartic * y * y * y, h11 = a, h12 = 0, h22 = b + 12 * quartic * y * y;
  for (const [cx, cy, depth, width] of pits) {
    const u = x - cx, v = y - cy, ww = width * width, q = 1 + (u * u + v * v) / ww, k = 4 * depth / ww / (q * q * q), m = 6 / ww / q * k;
    loss -= depth / (q * q);
    g1 += k * u;
    g2 += k * v;
    h11 += k - m * u * u;
    h12 -= m * u * v;
    h22 += k - m * v * v;
  }
  const middle = (h11 + h22) / 2, half = Math.hypot((h11 - h22) / 2, h12);
  return { loss, slope: [g1, g2], size: Math.hypot(g1, g2), largest: middle + half, smallest: middle - half };
}
