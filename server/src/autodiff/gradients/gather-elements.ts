/** GatherElements and ScatterElements, each the other's adjoint where several updates of one element are added. */
import { type GradientRule, NoGradient } from "../rule.js";

export const gatherElements: GradientRule = {
  op: "GatherElements",
  pullback: (site) => [
    () =>
      site.b.op("ScatterElements", [site.b.zeros(site.inputShape(0)), site.input(1), site.dy], {
        axis: site.int("axis", 0),
        reduction: "add",
      }),
  ],
};

export const scatterElements: GradientRule = {
  op: "ScatterElements",
  pullback: (site) => {
    const { b } = site;
    const axis = site.int("axis", 0);
    const reduction = site.string("reduction", "none");
    if (reduction !== "none" && reduction !== "add") throw new NoGradient(`its reduction is "${reduction}"`);
    return [
      () =>
        reduction === "add"
          ? site.dy
          : b.op("ScatterElements", [site.dy, site.input(1), b.zeros(site.inputShape(2))], { axis }),
      null,
      () => b.op("GatherElements", [site.dy, site.input(1)], { axis }),
    ];
  },
};
