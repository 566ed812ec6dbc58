/**
 * GraSP: what keeping a weight does to the norm of the gradient. Its authors remove the weights with the highest
 * −θ ⊙ Hg, g the gradient of the loss with class scores divided by a temperature of 200, so that the score to keep by is
 * θ ⊙ Hg with its sign (Wang, Zhang, Grosse 2020, arXiv 2002.07376, eq. 8 and algorithm 1).
 */
import type { Reduction } from "../autodiff/plan.js";
import type { Criterion } from "./criterion.js";

/** Of the reference implementation. */
const temperature = 200;

const both = { perSample: false, temperature } as const;
/** g, that of the whole batch. */
const firstPass: Reduction = {
  ...both,
  pass: { words: "first derivatives", index: 0, passes: 2 },
  step: (_b, _w, g) => g,
  finish: (_b, _w, mean) => mean,
};
/** θ ⊙ Hg. */
const secondPass: Reduction = {
  ...both,
  pass: { words: "second derivatives", index: 1, passes: 2 },
  step: (_b, _w, product) => product,
  finish: (b, w, mean) => b.mul(w, mean),
};

export const grasp: Criterion = {
  id: "grasp",
  aliases: [],
  title: "GraSP θ·Hg",
  summary: "Keeps the weights that carry the flow of the gradient. Two passes over the data, with second derivatives.",
  reference:
    "Wang, Zhang, Grosse: Picking Winning Tickets Before Training by Preserving Gradient Flow, 2020, arXiv 2002.07376",
  needs: { data: true, gradientOrder: 2, rounds: 1 },
  signed: true,
  isMagnitude: false,
  unavailable: ({ gradients }) => gradients,
  score: async ({ sensitivity }) => {
    const engine = await sensitivity();
    return engine.scores(await engine.hessianProduct(await engine.gradients(firstPass), secondPass));
  },
};
