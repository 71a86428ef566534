// Chance.

/**
 * A source of numbers between 0 and 1 that are the same in figures/chance.py: times 48271, modulo 2³¹ − 1, exact in doubles.
 * @param {number} seed
 */
export function seeded(seed) {
  const M = 2147483647;
  let state = 1 + (seed * 1812433 + 987654321) % (M - 1);
  return () => (state = state * 48271 % M) / M;
}

/** A new list in another order; `random` gives numbers from 0 to below 1. */
export function shuffled(list, random = Math.random) {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/** Mix until the order differs from the one before; one or no item stays as it is. */
export function remixed(list, random = Math.random) {
  let mixed = shuffled(list, random);
  if (list.length > 1 && mixed.every((v, i) => v === list[i])) mixed = [...list.slice(1), list[0]];
  return mixed;
}
