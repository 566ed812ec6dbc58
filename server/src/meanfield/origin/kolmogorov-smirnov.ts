/** The Kolmogorov-Smirnov test of one sample against a continuous distribution. */

/** Largest distance between the sample's and the distribution's cumulative functions. @param sorted in ascending order. */
export function ksDistance(sorted: Float64Array, cumulative: (x: number) => number): number {
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    const expected = cumulative(x);
    distance = Math.max(distance, (i + 1) / n - expected, expected - i / n);
  });
  return distance;
}

/**
 * Probability of a distance at least as large, for a sample of n of the distribution itself: Kolmogorov's series with
 * Stephens' correction for small n (Press et al., Numerical Recipes, 14.3). With parameters fitted to the sample the true
 * probability is smaller, so that a test by this one is slower to reject.
 */
export function ksProbability(distance: number, n: number): number {
  const root = Math.sqrt(n);
  const lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let j = 1; j <= 100; j++) {
    const term = 2 * (j % 2 === 1 ? 1 : -1) * Math.exp(-2 * j * j * lambda * lambda);
    sum += term;
    if (Math.abs(term) < 1e-16) break;
  }
  return Math.min(1, Math.max(0, sum));
}
