/** Where: each side gets the cotangent where it was taken, and 0 elsewhere. */
import type { GradientRule } from "../rule.js";

export const where: GradientRule = {
  op: "Where",
  broadcasts: true,
  pullback: (site) => {
    const { b } = site;
    const zero = b.scalar(0);
    return [null, () => b.where(site.input(0), site.dy, zero), () => b.where(site.input(0), zero, site.dy)];
  },
};
