/** ONNX Runtime's FusedConv with Relu: y = max(w ∗ x + bias + addend, 0). */
import { above } from "../masks.js";
import { type GradientRule, NoGradient } from "../rule.js";
import { convPullback } from "./conv.js";

export const fusedConv: GradientRule = {
  op: "com.microsoft.FusedConv",
  pullback: (site) => {
    const activation = site.string("activation", "");
    if (activation !== "Relu") throw new NoGradient(`its activation is ${activation}`);
    const dy = (): string => site.b.mul(site.dy, above(site.b, site.output()));
    return [...convPullback(site, dy), dy];
  },
};
