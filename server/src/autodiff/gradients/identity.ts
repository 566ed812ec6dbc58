/** Identity, and Dropout as models that are run have it. */
import { type GradientRule, NoGradient } from "../rule.js";

export const identity: GradientRule = { op: "Identity", anyType: true, pullback: ({ dy }) => [() => dy] };

export const dropout: GradientRule = {
  op: "Dropout",
  pullback: (site) => {
    const training = site.has(2) ? site.constant(2) : [0];
    if (training?.[0] !== 0) throw new NoGradient("it may drop at random: its training mode is on, or computed");
    return [() => site.dy];
  },
};
