/** Cast and CastLike between real element types: the cotangent is cast back. Integers have no cotangent. */
import { castTo } from "../../graph/literal.js";
import { isFloat } from "../../graph/tensor.js";
import type { GradientRule } from "../rule.js";

const rule = (op: string): GradientRule => ({
  op,
  anyType: true,
  pullback: (site) => {
    const from = site.dtype(site.input(0));
    const to = site.dtype(site.node.outputs[0] ?? "");
    return [() => (from === to || !isFloat(from) ? site.dy : site.b.cast(site.dy, castTo(from)))];
  },
});

export const cast = rule("Cast");
export const castLike = rule("CastLike");
