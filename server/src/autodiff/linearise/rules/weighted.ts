/**
 * Layers: |w|, no bias. The product of two paths (the scores of an attention, attention without Softmax) takes its first
 * factor as a uniform average.
 */
import type { Value } from "../../../graph/builder.js";
import { type LinearRule, type LinearSite, NoLinearForm, type Signal } from "../rule.js";

/** `make` of input `i`, brought to order 1. */
function layer(site: LinearSite, i: number, make: (x: Value) => Value): Signal {
  const x = site.exponents.normalised(site.signal(i));
  return { kind: "signal", ...site.exponents.grown(make(x.value), x), bounds: null };
}

const convolution = (op: string): LinearRule => ({
  op,
  images: (site) => [layer(site, 0, (x) => site.same([x, site.magnitude(1)])[0]!)],
});

/** A product of matrices, `length` being what is summed over: `make` of both factors. */
function product(site: LinearSite, length: number, make: (a: Value, b: Value) => Value): Signal {
  const right = site.image(1)?.kind === "signal";
  if (site.image(0)?.kind !== "signal") return layer(site, 1, (x) => make(site.magnitude(0), x));
  if (!right) return layer(site, 0, (x) => make(x, site.magnitude(1)));
  site.holdConstant(0, "the factors of an average, which SynFlow takes as equal");
  return layer(site, 1, (x) => make(site.b.expand(site.b.scalar(1 / length), site.shape(0)), x));
}

const gemm: LinearRule = {
  op: "Gemm",
  images: (site) => {
    const { b, exponents } = site;
    const transA = site.int("transA", 0);
    const transB = site.int("transB", 0);
    const alpha = { float: Math.abs(site.float("alpha", 1)) };
    const length = site.shape(0).at(transA === 0 ? 1 : 0)!;
    const made = product(site, length, (left, right) => b.op("Gemm", [left, right], { transA, transB, alpha }));
    if (site.image(2)?.kind !== "signal") return [made];
    const added = site.signal(2);
    const scaled = { ...added, value: b.scale(added.value, Math.abs(site.float("beta", 1))) };
    const { values, exponent, loose } = exponents.aligned([made, scaled]);
    return [{ kind: "signal", value: b.sum(values), exponent, loose: loose + 1, bounds: null }];
  },
};

const matMul: LinearRule = {
  op: "MatMul",
  images: (site) => [product(site, site.shape(0).at(-1)!, (left, right) => site.b.matMul(left, right))],
};

const fusedMatMul: LinearRule = {
  op: "com.microsoft.FusedMatMul",
  images: (site) => {
    if (site.int("transBatchA", 0) + site.int("transBatchB", 0) > 0)
      throw new NoLinearForm("it transposes its batch axes");
    const transA = site.int("transA", 0) !== 0;
    const transB = site.int("transB", 0) !== 0;
    const alpha = Math.abs(site.float("alpha", 1));
    const length = site.shape(0).at(transA ? -2 : -1)!;
    return [product(site, length, (left, right) => site.b.matMul(left, right, { transA, transB, alpha }))];
  },
};

export const layers: readonly LinearRule[] = [
  convolution("Conv"),
  convolution("ConvTranspose"),
  fusedMatMul,
  gemm,
  matMul,
];
