// Geometry, pure.

// The part of a rectangle where w1*x + w2*y + b >= 0, as a list of corners.
export function halfPlane([x0, x1], [y0, y1], w1, w2, b) {
  const z = ([x, y]) => w1 * x + w2 * y + b, out = [];
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % 4], zp = z(p), zq = z(q);
    if (zp >= 0) out.push(p);
    if (zp >= 0 !== zq >= 0) {
      const t = zp / (zp - zq);
      out.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    }
  });
  return out;
}

// The boundary inside the rectangle: two ends, or null when it does not cross.
export function boundary([x0, x1], [y0, y1], w1, w2, b) {
  const ends = [];
  const add = (x, y) => {
    const inside = x >= x0 - 1e-9 && x <= x1 + 1e-9 && y >= y0 - 1e-9 && y <= y1 + 1e-9;
    if (inside && !ends.some((e) => Math.hypot(e[0] - x, e[1] - y) < 1e-9)) ends.push([x, y]);
  };
  if (w2) for (const x of [x0, x1]) add(x, -(w1 * x + b) / w2);
  if (w1) for (const y of [y0, y1]) add(-(w2 * y + b) / w1, y);
  return ends.length > 1 ? ends.slice(0, 2) : null;
}

export function ticks([lo, hi], n) {
  const raw = (hi - lo) / n, p = 10 ** Math.floor(Math.log10(raw));
  const step = p * [1, 2, 5, 10].find((m) => m * p >= raw * 0.999), out = [];
  for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-9; v += step) out.push(+v.toFixed(9));
  return out;
}
