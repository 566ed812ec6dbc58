/** Elu and Selu: y = γx where x > 0, else γα(eˣ − 1), whose derivative is y + γα. */
import type { Value } from "../../graph/builder.js";
import type { GradientRule, Site } from "../rule.js";

function cotangent(site: Site, alpha: number, gamma: number): Value {
  const { b, dy } = site;
  const below = b.mul(dy, b.add(site.output(), b.scalar(gamma * alpha)));
  return b.where(b.op("Greater", [site.input(0), b.scalar(0)]), b.scale(dy, gamma), below);
}

export const elu: GradientRule = {
  op: "Elu",
  pullback: (site) => [() => cotangent(site, site.float("alpha", 1), 1)],
};

/** The defaults are those of the specification: the fixed point of mean 0 and variance 1. */
export const selu: GradientRule = {
  op: "Selu",
  pullback: (site) => [
    () => cotangent(site, site.float("alpha", 1.6732632423543772), site.float("gamma", 1.0507009873554805)),
  ],
};
