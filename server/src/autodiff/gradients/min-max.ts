/** Min and Max of any number of inputs, broadcast against each other: those that are equal share, as in PyTorch. */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { castTo } from "../../graph/literal.js";
import { aboveOrHalf } from "../masks.js";
import type { GradientRule, Site } from "../rule.js";

/** Share of input `i` of two: 1 where it wins, ½ where both are equal. */
function shareOfTwo(site: Site, i: number, larger: boolean): Value {
  const own = site.input(i);
  const other = site.input(1 - i);
  return aboveOrHalf(site.b, larger ? site.b.sub(own, other) : site.b.sub(other, own));
}

/** 1 where input `i` is the output, else 0. */
const chosen = (b: GraphBuilder, x: Value, y: Value): Value => b.cast(b.op("Equal", [x, y]), castTo("float"));

function cotangent(site: Site, i: number, larger: boolean): Value {
  const { b, dy, arity } = site;
  if (arity === 1) return dy;
  if (arity === 2) return b.mul(dy, shareOfTwo(site, i, larger));
  const y = site.output();
  const count = b.sum(Array.from({ length: arity }, (_, at) => chosen(b, site.input(at), y)));
  return b.mul(dy, b.div(chosen(b, site.input(i), y), count));
}

const rule = (op: string, larger: boolean): GradientRule => ({
  op,
  broadcasts: true,
  pullback: (site) => Array.from({ length: site.arity }, (_, i) => () => cotangent(site, i, larger)),
});

export const max = rule("Max", true);
export const min = rule("Min", false);
