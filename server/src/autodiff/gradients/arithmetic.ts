/** Add, Sub, Mul, Div: bilinear or nearly so, broadcast against each other. */
import type { GradientRule } from "../rule.js";

export const add: GradientRule = { op: "Add", broadcasts: true, pullback: ({ dy }) => [() => dy, () => dy] };

export const sub: GradientRule = { op: "Sub", broadcasts: true, pullback: ({ b, dy }) => [() => dy, () => b.neg(dy)] };

export const mul: GradientRule = {
  op: "Mul",
  broadcasts: true,
  pullback: (site) => [() => site.b.mul(site.dy, site.input(1)), () => site.b.mul(site.dy, site.input(0))],
};

/** y = a / c: da = dy / c, dc = −dy · y / c. */
export const div: GradientRule = {
  op: "Div",
  broadcasts: true,
  pullback: (site) => {
    const { b, dy } = site;
    const quotient = (): string => b.div(dy, site.input(1));
    return [quotient, () => b.neg(b.mul(quotient(), site.output()))];
  },
};
