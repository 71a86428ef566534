// A kernel slides over a picture: the window it lies on, the products, their sum, and the cell of the output that this sum becomes.
import { cells, columns, controls, fmt, h, inParens, key, panel, plural, put, root, s, status } from "./kit.js";

/**
 * The picture with a border of zeros.
 * @param {number[][]} picture
 * @param {number} pad
 */
export function padded(picture, pad) {
  const wide = picture[0].length + 2 * pad, empty = () => Array(wide).fill(0);
  const border = () => Array.from({ length: pad }, empty);
  return [...border(), ...picture.map((row) => [...Array(pad).fill(0), ...row, ...Array(pad).fill(0)]), ...border()];
}

/**
 * How many places a kernel of size k has along a side of n cells.
 * @param {number} n
 * @param {number} k
 * @param {number} stride
 * @param {number} pad
 */
export const places = (n, k, stride, pad) => Math.floor((n + 2 * pad - k) / stride) + 1;

/**
 * The products under the kernel at one place of the output, row by row.
 * @param {number[][]} input  with its border
 * @param {number[][]} kernel
 * @param {number} r  row of the output
 * @param {number} c  column of the output
 * @param {number} stride
 */
export const products = (input, kernel, r, c, stride) =>
  kernel.map((row, i) => row.map((k, j) => [input[r * stride + i][c * stride + j], k]));

/**
 * The whole output.
 * @param {number[][]} picture
 * @param {number[][]} kernel
 * @param {number} stride
 * @param {number} pad
 */
export function slide(picture, kernel, stride, pad) {
  const input = padded(picture, pad), rows = places(picture.length, kernel.length, stride, pad);
  const across = places(picture[0].length, kernel.length, stride, pad);
  return Array.from({ length: rows }, (_, r) => Array.from({ length: across }, (_, c) =>
    products(input, kernel, r, c, stride).flat().reduce((sum, [x, k]) => sum + x * k, 0)));
}

const SIZE = 32;

function grid(label) {
  const svg = s("svg", { class: "nfig-svg nfig-grid-of-cells", role: "img", "aria-label": label });
  return { svg, draw(values, parts, largest, show, mark) {
    const rows = values.length, across = values[0].length;
    svg.setAttribute("viewBox", `-2 -2 ${across * SIZE + 4} ${rows * SIZE + 4}`);
    svg.style.maxWidth = `${across * SIZE + 4}px`;
    svg.replaceChildren(...cells(values, { left: 0, top: 0, size: SIZE, largest, show, mark }), ...parts);
  } };
}

function render({ model, el }) {
  const frame = root(el), pictures = model.get("pictures"), kernels = model.get("kernels");
  const C = controls(frame, model, { update }), S = C.S;
  const input = grid("The picture with its border of zeros and the window under the kernel"), output = grid("The output");
  const say = status(), head = h("output", { class: "nfig-big" }), sum = h("p", { class: "nfig-sum" }), total = h("b", { class: "nfig-z" });
  const body = h("tbody"), table = h("table", { class: "nfig-table nfig-products" }, h("caption", {}, "Window · kernel"), body);
  const size = (v) => h("b", {}, v), shape = h("p", { class: "nfig-sum" });
  let out = [[]];

  function update() {
    const picture = pictures[S.picture], kernel = kernels[S.kernel], pad = S.padding, n = picture.length, k = kernel.length;
    out = slide(picture, kernel, S.stride, pad);
    const across = out[0].length, last = out.length * across - 1, at = Math.min(S.place, last), r = Math.floor(at / across), c = at % across;
    C.part("place").limit(last);
    S.place = at;
    const bordered = padded(picture, pad), under = products(bordered, kernel, r, c, S.stride), value = out[r][c];
    const inside = (i, j) => i >= pad && j >= pad && i < pad + n && j < pad + n;
    input.draw(bordered, [s("rect", { x: c * S.stride * SIZE, y: r * S.stride * SIZE, width: k * SIZE, height: k * SIZE, class: "nfig-window" })],
      16, (v) => fmt(v, 0), (i, j) => (inside(i, j) ? "" : "nfig-pad"));
    output.draw(out, [s("rect", { x: c * SIZE, y: r * SIZE, width: SIZE, height: SIZE, class: "nfig-window" })],
      Math.max(1, ...out.flat().map(Math.abs)), (v) => fmt(v, Number.isInteger(v) ? 0 : 1));
    body.replaceChildren(...under.map((row) => h("tr", {}, ...row.map(([x, w]) => h("td", { class: w && x ? "" : "nfig-idle" },
      `${fmt(x, 0)} · ${inParens(w, Number.isInteger(w) ? 0 : 2)}`)))));
    put(total, value, fmt(value, Number.isInteger(value) ? 0 : 2));
    const terms = under.flat().filter(([x, w]) => x && w);
    sum.replaceChildren(`row ${r + 1}, column ${c + 1}: `, terms.map(([x, w], i) => `${i ? (w < 0 ? " − " : " + ") : w < 0 ? "−" : ""}` +
      `${fmt(x, 0)} · ${fmt(Math.abs(w), Number.isInteger(w) ? 0 : 2)}`).join("") || "nothing but zeros", " = ", total);
    put(head, out.length, `${n} × ${n} becomes ${out.length} × ${across}`);
    shape.replaceChildren(`(${n} + 2 · ${pad} − ${k}) / ${S.stride} + 1, rounded down: `, size(`${out.length}`));
    say.textContent = `The kernel “${C.label("kernel")}” lies on rows ${r * S.stride + 1 - pad} to ${r * S.stride + k - pad} and columns ${c * S.stride + 1 - pad} to ` +
      `${c * S.stride + k - pad} of the ${C.label("picture")}` + (pad ? " (numbers below 1 or above 8 are border). " : ". ") + `${plural(terms.length, "product")} other than 0 add up to ${total.textContent}: ` +
      (value > 0 ? "the picture is like the kernel here." : value < 0 ? "the picture is the kernel's opposite here." : "no answer here.");
  }
  // The pointer asks for a cell of the output; the keyboard has the slider of places.
  const ask = (e) => {
    const box = output.svg.getBoundingClientRect(), across = out[0].length, unit = box.width / (across * SIZE + 4) * SIZE;
    const c = Math.floor((e.clientX - box.left - 2) / unit), r = Math.floor((e.clientY - box.top - 2) / unit);
    if (r >= 0 && c >= 0 && r < out.length && c < across && r * across + c !== S.place) C.change("place", r * across + c);
  };
  output.svg.addEventListener("pointermove", ask);
  output.svg.addEventListener("pointerdown", ask);
  const part = (title, ...kids) => h("div", {}, h("p", { class: "nfig-h" }, title), ...kids);
  el.append(h("div", { class: "nfig-pair" }, part("input", input.svg), part("output", output.svg)),
    key(["nfig-ink-a", "■", "above 0"], ["nfig-ink-b", "■", "below 0"], ["nfig-good-ink", "▢", "window and its sum"], ["", "▢", "dashed: border of zeros"]),
    C.rows.place, columns(panel(table, sum), panel(head, shape, C.rows.picture, C.rows.kernel, C.rows.stride, C.rows.padding)), say, C.foot);
  update();
  return frame.off;
}
export default { render };
