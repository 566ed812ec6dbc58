/**
 * First-order Taylor importance per sample: the mean over samples of (w · ∂L_b/∂w)², the square of what the loss of one
 * sample changes by when w goes (Molchanov et al. 2019, arXiv 1906.10771, eq. 8). With the gradient of the whole batch
 * instead it would rank like SNIP.
 */
import { type Criterion, firstOrder } from "./criterion.js";

export const taylor: Criterion = firstOrder(
  {
    id: "taylor",
    aliases: [],
    title: "Taylor (w·∂L/∂w)² per sample",
    summary: "Keeps the weights that matter to single samples, though their gradients may cancel over the batch.",
    reference: "Molchanov et al.: Importance Estimation for Neural Network Pruning, CVPR 2019, arXiv 1906.10771",
  },
  {
    perSample: true,
    temperature: 1,
    step: (b, w, g) => {
      const change = b.mul(w, g);
      return b.mul(change, change);
    },
    finish: (_b, _w, mean) => mean,
  },
);
