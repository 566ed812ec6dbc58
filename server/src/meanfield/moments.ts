/** The expectations that the maps of variance and correlation are made of, for u ~ N(0, q). */
import type { Activation } from "./activations/activation.js";
import { coarse, expectation, forEachNode } from "./quadrature.js";

export interface Moments {
  /** S = E φ(u)². */
  readonly square: number;
  /** D = E φ'(u)². */
  readonly slope: number;
  /** dS/dq = E φ(u)φ'(u)Z/√q with u = √q·Z. */
  readonly growth: number;
}

/** @param q variance of the pre-activations, above 0. */
export function moments({ value, slope, bends, jumps, exact }: Activation, q: number): Moments {
  if (exact !== null) return { square: exact.product(q, 1), slope: exact.slopes(q, 1), growth: exact.growth(q) };
  const deviation = Math.sqrt(q);
  let [square, slopes, growth] = [0, 0, 0];
  forEachNode(bends, deviation, (u, z, weight) => {
    const y = value(u);
    const dy = slope(u);
    square += weight * y * y;
    slopes += weight * dy * dy;
    // Where φ' leaves out a jump, the derivative of the density says how S grows; else φ' is the more exact.
    growth += weight * (jumps ? (y * y * (z * z - 1)) / (2 * q) : (y * dy * z) / deviation);
  });
  return { square, slope: slopes, growth };
}

/** E φ(u)² alone. */
export function meanSquare({ value, bends, exact }: Activation, q: number): number {
  return exact === null ? expectation((u) => value(u) ** 2, bends, Math.sqrt(q)) : exact.product(q, 1);
}

/** E φ(u₁)φ(u₂) for u₁, u₂ ~ N(0, q) with correlation c in [−1, 1]. */
export function meanProduct(activation: Activation, q: number, c: number): number {
  return activation.exact === null
    ? twoFold(activation, activation.value, q, c)
    : activation.exact.product(q, clamp(c));
}

/** E φ'(u₁)φ'(u₂), which times q is the derivative of {@link meanProduct} by c (Price's theorem). */
export function meanSlopes(activation: Activation, q: number, c: number): number {
  return activation.exact === null ? twoFold(activation, activation.slope, q, c) : activation.exact.slopes(q, clamp(c));
}

const clamp = (c: number): number => Math.min(1, Math.max(-1, c));

/** E f(u₁)f(u₂): inside over what u₂ has for itself, outside over u₁. */
function twoFold({ bends }: Activation, f: (u: number) => number, q: number, correlation: number): number {
  const c = clamp(correlation);
  const deviation = Math.sqrt(q);
  const own = deviation * Math.sqrt((1 - c) * (1 + c));
  // Given u₁ the expectation over u₂ is f smoothed over `own`, so it bends no sharper than that, at bends/c.
  const seen =
    c === 0 || own === 0 ? [] : bends.map(({ at }) => ({ at: at / c, width: Math.max(own / Math.abs(c), 1e-300) }));
  return expectation(
    (u) => f(u) * expectation(f, bends, own, c * u, coarse),
    [...bends, ...seen],
    deviation,
    0,
    coarse,
  );
}
