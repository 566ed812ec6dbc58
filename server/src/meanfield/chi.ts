/** χ, by which the squared gradient and small differences of inputs grow from layer to layer, and depth scales. */
import type { Activation } from "./activations/activation.js";
import { moments } from "./moments.js";
import { type Scale, stabilityOf } from "./variance-map.js";

/** χ = σ_w² E φ'(u)², u ~ N(0, q) (Schoenholz et al. 2017, eq. 5). */
export const chi = (activation: Activation, { sigmaW }: Scale, q: number): number =>
  sigmaW ** 2 * moments(activation, q).slope;

/**
 * Layers in which what is multiplied by `rate` a layer changes by a factor of e: 1/|ln rate|. For χ it is the depth
 * scale of gradients, for the slope of a map at its fixed point that of the approach.
 * @returns null where it is unbounded (a rate of 1, up to rounding).
 */
export function depthScale(rate: number): number | null {
  if (rate <= 0) return 0;
  return stabilityOf(rate) === "marginal" ? null : 1 / Math.abs(Math.log(rate));
}
