/**
 * Pow: dx = dy · e·x^(e − 1), de = dy · y·ln x. The usual exponents have forms of their own. As in PyTorch dx is 0 where
 * the exponent is, de is 0 where x is, and de has no value where x is negative.
 */
import type { Value } from "../../graph/builder.js";
import { castTo } from "../../graph/literal.js";
import type { GradientRule, Site } from "../rule.js";

/** The exponent when it is one number, known already. */
function knownExponent(site: Site): number | null {
  const values = site.constant(1);
  const [first = null] = values ?? [];
  return first !== null && values?.every((value) => value === first) === true ? first : null;
}

/** Derivative of xᵉ by x for a known e other than 0 and 1, times dy. */
function byBase(site: Site, e: number): Value {
  const { b, dy } = site;
  const x = site.input(0);
  if (e === 2) return b.mul(dy, b.scale(x, 2));
  if (e === 3) return b.mul(dy, b.scale(b.mul(x, x), 3));
  if (e === 0.5) return b.div(b.scale(dy, 0.5), site.output());
  return b.mul(dy, b.scale(b.op("Pow", [x, b.scalar(e - 1)]), e));
}

export const pow: GradientRule = {
  op: "Pow",
  broadcasts: true,
  pullback: (site) => {
    const { b } = site;
    const x = site.input(0);
    const exponent = (): Value => {
      const e = site.input(1);
      return site.dtype(e) === site.dtype(x) ? e : b.cast(e, castTo(site.dtype(x)));
    };
    const known = knownExponent(site);
    return [
      known === 0
        ? null
        : () => {
            if (known === 1) return site.dy;
            if (known !== null) return byBase(site, known);
            const e = exponent();
            const zero = b.scalar(0);
            const slope = b.mul(e, b.op("Pow", [x, b.sub(e, b.scalar(1))]));
            return b.mul(site.dy, b.where(b.op("Equal", [e, zero]), zero, slope));
          },
      () => {
        const logarithm = b.op("Log", [b.where(b.op("Equal", [x, b.scalar(0)]), b.scalar(1), x)]);
        return b.mul(site.dy, b.mul(site.output(), logarithm));
      },
    ];
  },
};
