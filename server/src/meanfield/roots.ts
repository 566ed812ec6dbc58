/** Roots of a function of one variable between samples. */

/** A function's value at x. */
export interface Sample {
  readonly x: number;
  readonly value: number;
}

/**
 * Roots of f between samples of it: one wherever its sign changes from one to the next. Values within `noise(x)` of 0
 * have no sign, so that a function that is 0 over a range has no roots there. Two roots between neighbouring samples are
 * not seen.
 * @param samples ascending in x.
 */
export function roots(f: (x: number) => number, samples: Iterable<Sample>, noise: (x: number) => number): number[] {
  const found: number[] = [];
  let last: { x: number; sign: number } | null = null;
  for (const { x, value } of samples) {
    if (Math.abs(value) <= noise(x)) continue;
    const sign = Math.sign(value);
    if (last !== null && last.sign !== sign) found.push(bisect((at) => f(at) * sign > 0, last.x, x).above);
    last = { x, sign };
  }
  return found;
}

/** Halves [low, high] until nothing lies between: `holds` is false at `below` and true at `above`, as at low and high. */
export function bisect(
  holds: (x: number) => boolean,
  low: number,
  high: number,
): { readonly below: number; readonly above: number } {
  let [below, above] = [low, high];
  for (;;) {
    const middle = below + (above - below) / 2;
    if (middle <= below || middle >= above) return { below, above };
    if (holds(middle)) above = middle;
    else below = middle;
  }
}

/** `perDecade` points a decade from low to high, both of them included. */
export function logarithmicGrid(low: number, high: number, perDecade: number): number[] {
  const steps = Math.max(1, Math.ceil(Math.log10(high / low) * perDecade));
  return Array.from({ length: steps + 1 }, (_, i) => (i === steps ? high : low * (high / low) ** (i / steps)));
}
