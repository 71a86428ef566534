// A Gaussian process over a few places, the likeliest of a small set, and what one more trial promises; as in companion/search.

/**
 * How alike values are at a distance, in units of the length.
 * @param {number} r
 */
export const matern52 = (r) => (1 + Math.sqrt(5) * r + 5 * r * r / 3) * Math.exp(-Math.sqrt(5) * r);

// The normal distribution's tail below z, to seven digits of itself: a fit by Chebyshev polynomials (Press and others, Numerical Recipes).
const FIT = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];

/** @param {number} z */
export function below(z) {
  const x = Math.abs(z) / Math.SQRT2, t = 1 / (1 + x / 2), tail = t / 2 * Math.exp(-x * x + FIT.reduceRight((sum, c) => sum * t + c, 0));
  return z < 0 ? tail : 1 - tail;
}

/**
 * By how much a value will be below the best one on average.
 * @param {number[]} guess  mean and standard deviation
 * @param {number} best
 */
export function improvement([mean, std], best) {
  if (!std) return Math.max(best - mean, 0);
  const z = (best - mean) / std;
  return Math.max(0, std * (z * below(z) + Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)));
}

/**
 * A process that has seen values: its guess at a place, and how probable the values are under it.
 * @param {number[][]} X
 * @param {number[]} y
 * @param {number[]} choice  a length for each axis, then the noise
 */
export function process(X, y, choice) {
  const noise = choice.at(-1), alike = (a, b) => matern52(Math.sqrt(a.reduce((sum, v, i) => sum + ((v - b[i]) / choice[i]) ** 2, 0))), L = /** @type {number[][]} */ ([]);
  const solved = (right) => { // L z = right
    const z = [];
    for (let i = 0; i < right.length; i++) {
      let v = right[i];
      for (let k = 0; k < i; k++) v -= L[i][k] * z[k];
      z.push(v / L[i][i]);
    }
    return z;
  };
  X.forEach((x, i) => { // row by row: what the rows above explain, and what is left on the diagonal
    const row = solved(X.slice(0, i).map((one) => alike(x, one)));
    L.push([...row, Math.sqrt(1 + noise - row.reduce((sum, v) => sum + v * v, 0))]);
  });
  const z = solved(y), dot = (a, b) => a.reduce((sum, v, k) => sum + v * b[k], 0);
  return { choice, likelihood: -dot(z, z) / 2 - L.reduce((sum, row, i) => sum + Math.log(row[i]), 0) - y.length / 2 * Math.log(2 * Math.PI),
    guess(at) { const c = solved(X.map((x) => alike(x, at))); return [dot(c, z), Math.sqrt(Math.max(0, 1 - dot(c, c)))]; } };
}

/**
 * The process out of a written-out set under which the values are most probable: one axis after the other, twice around.
 * @param {number[][]} X
 * @param {number[]} y
 * @param {number[]} lengths
 * @param {number[]} noises
 */
export function likeliest(X, y, lengths, noises) {
  const options = [...X[0].map(() => lengths), noises];
  let best = process(X, y, options.map((values) => values[Math.floor(values.length / 2)]));
  for (let sweep = 0; sweep < 2; sweep++) {
    options.forEach((values, axis) => {
      for (const one of values.map((v) => process(X, y, best.choice.map((kept, i) => (i === axis ? v : kept))))) if (one.likelihood > best.likelihood) best = one;
    });
  }
  return best;
}

/**
 * What a process believes after some trials, in the values' own units, and the promise of each place; below 0 where it was.
 * @param {number[][]} places
 * @param {number[]} tried
 * @param {number[]} values
 * @param {number[][]} set  lengths and noises
 */
export function belief(places, tried, values, [lengths, noises]) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length, spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) || 1;
  const found = likeliest(tried.map((k) => places[k]), values.map((v) => (v - mean) / spread), lengths, noises), guesses = places.map((x) => found.guess(x));
  const best = Math.min(...tried.map((k) => guesses[k][0])), promise = guesses.map((guess, k) => (tried.includes(k) ? -1 : spread * improvement(guess, best)));
  return { promise, next: promise.indexOf(Math.max(...promise)), choice: found.choice, guess: (x) => { const [m, s] = found.guess(x); return [mean + spread * m, spread * s]; } };
}
