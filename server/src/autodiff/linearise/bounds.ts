/** Intervals that values of the model lie in: how far a gate can open follows from them. */
export type Bounds = readonly [low: number, high: number];

export const negated = ([low, high]: Bounds): Bounds => [-high, -low];

export const shifted = (a: Bounds, by: Bounds): Bounds => [a[0] + by[0], a[1] + by[1]];

export function multiplied(a: Bounds, by: Bounds): Bounds {
  const corners = [a[0] * by[0], a[0] * by[1], a[1] * by[0], a[1] * by[1]];
  return [Math.min(...corners), Math.max(...corners)];
}

/** What holds when both hold; null is no bound. */
export function intersect(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (a === null || b === null) return a ?? b;
  return [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
}

/** The interval of the elements of a constant; null when they are not there. */
export function boundsOf(elements: readonly number[] | null): Bounds | null {
  if (elements === null || elements.length === 0) return null;
  let low = Infinity;
  let high = -Infinity;
  for (const element of elements) {
    low = Math.min(low, element);
    high = Math.max(high, element);
  }
  return [low, high];
}

/** The largest magnitude in an interval. */
export const reach = ([low, high]: Bounds): number => Math.max(Math.abs(low), Math.abs(high));
