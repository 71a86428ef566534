// Chance.

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
