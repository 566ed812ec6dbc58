/** Gemm: y = α · op(A) op(B) + β · C. dA = α dY op(B)ᵀ, dB = α op(A)ᵀ dY, dC = β dY summed to C's shape. */
import type { GradientRule } from "../rule.js";
import { unbroadcast } from "../cotangents.js";

export const gemm: GradientRule = {
  op: "Gemm",
  pullback: (site) => {
    const { b } = site;
    const transA = site.int("transA", 0);
    const transB = site.int("transB", 0);
    const product = (left: string, right: string, transLeft: number, transRight: number): string =>
      b.op("Gemm", [left, right], {
        ...(transLeft === 0 ? {} : { transA: 1 }),
        ...(transRight === 0 ? {} : { transB: 1 }),
        alpha: { float: site.float("alpha", 1) },
      });
    return [
      () =>
        transA === 0 ? product(site.dy, site.input(1), 0, 1 - transB) : product(site.input(1), site.dy, transB, 1),
      () =>
        transB === 0 ? product(site.input(0), site.dy, 1 - transA, 0) : product(site.dy, site.input(0), 1, transA),
      () => b.scale(unbroadcast(b, site.dy, site.outputShape(), site.inputShape(2)), site.float("beta", 1)),
    ];
  },
};
