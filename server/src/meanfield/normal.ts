/** The error function and the normal distribution in float64. */

const rootPi = Math.sqrt(Math.PI);
/** |x| from which the continued fraction of erfc converges faster than the series of erf. */
const seriesLimit = 2.5;

/** erf(x) = 2/√π ∫₀ˣ e^(−t²) dt, to 1e-15 relative. */
export function erf(x: number): number {
  const size = Math.abs(x);
  return size < seriesLimit ? series(x) : Math.sign(x) * (1 - tail(size));
}

/** erfc(x) = 1 − erf(x); relative accuracy is kept in the right tail. */
export function erfc(x: number): number {
  return Math.abs(x) < seriesLimit ? 1 - series(x) : x > 0 ? tail(x) : 2 - tail(-x);
}

/** P(Z ≤ x) for Z ~ N(0, 1). */
export const normalCdf = (x: number): number => erfc(-x / Math.SQRT2) / 2;

/** Density of N(0, 1) at x. */
export const normalPdf = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** erf as 2/√π·e^(−x²)·Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms all have one sign. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / rootPi) * Math.exp(-x * x) * sum;
}

/** erfc for x ≥ 2.5 as e^(−x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))). */
function tail(x: number): number {
  let fraction = x;
  // 60 levels leave 1e-16 at 2.5, and less beyond.
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (rootPi * fraction);
}
