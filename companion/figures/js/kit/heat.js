// Heat maps. A map is a mask over a coloured ground: its colours are the page's, in light and dark and on paper.
import { s, uid } from "./dom.js";

/**
 * Strength of each cell of a map, row by row from the top, 0 to 255.
 * @param {(x: number, y: number) => number} f  0 is empty, 1 is full
 * @param {number[]} xs  range across
 * @param {number[]} ys  range upwards
 * @param {number} cells  along each side
 */
export function strengths(f, [x0, x1], [y0, y1], cells) {
  const out = new Uint8ClampedArray(cells * cells), dx = (x1 - x0) / cells, dy = (y1 - y0) / cells;
  for (let r = 0; r < cells; r++) {
    for (let c = 0; c < cells; c++) out[r * cells + c] = 255 * f(x0 + (c + 0.5) * dx, y1 - (r + 0.5) * dy);
  }
  return out;
}

// One map in a rectangle of a drawing; paint(f) fills it, move(x, y, width, height) puts it elsewhere.
export function heat({ x = 0, y = 0, width = 0, height = 0, xs, ys, cells = 40, cls = "nfig-heat" }) {
  const id = uid(), image = s("image", { preserveAspectRatio: "none" }), ground = s("rect", { class: cls, mask: `url(#${id})` });
  const node = s("g", {}, s("mask", { id, maskUnits: "userSpaceOnUse" }, image), ground);
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  canvas.width = canvas.height = cells;
  const move = (...box) => ["x", "y", "width", "height"].forEach((k, i) => [image, ground, image.parentNode].forEach((e) => e.setAttribute(k, box[i])));
  move(x, y, width, height);
  return { node, move, paint(f) {
    const strength = strengths(f, xs, ys, cells), pixels = pen.createImageData(cells, cells);
    pixels.data.fill(255);
    strength.forEach((v, i) => { pixels.data[4 * i + 3] = v; });
    pen.putImageData(pixels, 0, 0);
    image.setAttribute("href", canvas.toDataURL());
  } };
}

// A table of numbers as coloured cells: above 0 in one colour, below in the other, stronger for larger; the number stands in it.
export function cells(values, { left, top, size, largest, show, mark = (_r, _c) => "" }) {
  return values.flatMap((row, r) => row.flatMap((v, c) => {
    const x = left + c * size, y = top + r * size, share = Math.min(1, Math.abs(v) / largest);
    return [s("rect", { x, y, width: size, height: size, class: `nfig-cellbox ${mark(r, c)}` }),
      s("rect", { x, y, width: size, height: size, class: v < 0 ? "nfig-below" : "nfig-above", "fill-opacity": (0.45 * share).toFixed(3) }),
      s("text", { x: x + size / 2, y: y + size / 2 + 5, class: "nfig-number" }, show(v))];
  }));
}
