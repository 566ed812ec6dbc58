/**
 * SNIP's connection sensitivity, the SBP score of Hayou et al.: |w · ∂L/∂w|, L the mean loss over the batch (Lee,
 * Ajanthan, Torr 2019, arXiv 1810.02340, eq. 5 before normalising; Hayou et al. 2021, arXiv 2002.08797, eq. 6).
 */
import { type Criterion, firstOrder } from "./criterion.js";

export const snip: Criterion = firstOrder(
  {
    id: "snip",
    aliases: ["sbp"],
    title: "SNIP |w·∂L/∂w|",
    summary: "Keeps the weights whose removal would change the loss most, to first order. One pass over the data.",
    reference:
      "Lee, Ajanthan, Torr: SNIP: Single-shot Network Pruning based on Connection Sensitivity, 2019, arXiv 1810.02340",
  },
  {
    perSample: false,
    temperature: 1,
    step: (_b, _w, g) => g,
    finish: (b, w, g) => b.op("Abs", [b.mul(w, g)]),
  },
);
