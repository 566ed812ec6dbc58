/** Which layers an axis over depth numbers. */

/** Middles of the layers that get a number, for places one wide: the first, and round numbers. */
export function depthTicks(count: number): number[] {
  if (count <= 1) return count === 1 ? [0.5] : [];
  const rough = count / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power;
  const ticks = [0.5];
  for (let n = step; n <= count; n += step) if (n > 1) ticks.push(n - 0.5);
  return ticks;
}
