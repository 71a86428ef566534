// Numbers in words.

export function fmt(v, digits = 2) {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v < 0 ? "−inf" : "inf";
  const t = v.toFixed(digits);
  return (+t === 0 ? t.replace("-", "") : t).replace("-", "−");
}

// Plain when a few decimals say it, otherwise 1.2e−7.
export function sci(v, digits = 3) {
  const a = Math.abs(v);
  if (!Number.isFinite(v) || v === 0 || (a >= 10 ** (1 - digits) && a < 1e5)) return fmt(v, digits);
  return v.toExponential(2).replace("e+", "e").replaceAll("-", "−");
}

/**
 * A number with as many decimals as it has, at most four; null stands for one that is not known yet.
 * @param {number | null} v
 */
export const short = (v) => (v === null ? "?" : fmt(v, (String(+v.toFixed(4)).split(".")[1] || "").length));

export const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

export const signed = (v, digits = 2) => (v < 0 ? "− " : "+ ") + fmt(Math.abs(v), digits);
export const inParens = (v, digits = 2) => (v < 0 ? `(${fmt(v, digits)})` : fmt(v, digits));
export const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;

// A number on the page: words for the reader, all digits in data-v for tests and for copying.
export function put(node, v, text = fmt(v)) {
  node.textContent = text;
  node.dataset.v = String(v);
}

/**
 * When the reader's day ends: a card that is due before that is due today.
 * @param {number} now
 */
export const endOfDay = (now) => new Date(now).setHours(24, 0, 0, 0);
