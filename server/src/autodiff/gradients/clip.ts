/**
 * Clip: the cotangent passes strictly between the bounds. On them it is 0, as of PyTorch's hardtanh and ReLU6, which are
 * exported as Clip: what saturates lies exactly there. A bound gets the cotangents of what it holds.
 */
import { above, between } from "../masks.js";
import type { GradientRule } from "../rule.js";

export const clip: GradientRule = {
  op: "Clip",
  pullback: (site) => {
    const { b } = site;
    const x = site.input(0);
    const low = site.has(1) ? site.input(1) : null;
    const high = site.has(2) ? site.input(2) : null;
    const axes = (): number[] => site.inputShape(0).map((_, axis) => axis);
    const held = (distance: string): string => b.reduceSum(b.mul(site.dy, above(b, distance)), axes());
    return [
      () => {
        if (low === null && high === null) return site.dy;
        const zero = low !== null && site.constant(1)?.every((bound) => bound === 0) === true;
        return b.mul(site.dy, between(b, x, zero ? 0 : low, high));
      },
      low === null ? null : () => held(b.sub(low, x)),
      high === null ? null : () => held(b.sub(x, high)),
    ];
  },
};
