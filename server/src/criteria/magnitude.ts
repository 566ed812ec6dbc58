/** Magnitude pruning: the score of a weight is its absolute value (LeCun et al. 1990; Han et al. 2015, arXiv 1506.02626). */
import { type Criterion, dataFree } from "./criterion.js";

export const magnitude: Criterion = {
  id: "magnitude",
  aliases: [],
  title: "Magnitude |w|",
  summary: "Keeps the largest weights. Needs no data; at initialisation it only sees each layer's scale.",
  reference:
    "Han, Pool, Tran, Dally: Learning both Weights and Connections for Efficient Neural Networks, 2015, arXiv 1506.02626",
  needs: { data: false, gradientOrder: 0, rounds: 1 },
  signed: false,
  isMagnitude: true,
  unavailable: () => null,
  score: ({ weights, values }) =>
    Promise.resolve(
      dataFree(
        weights.map((_, i) => {
          const field = values(i);
          return {
            size: field.size,
            read: (start, count, out) => {
              field.read(start, count, out);
              const bits = new Uint32Array(out.buffer, out.byteOffset, count);
              for (let at = 0; at < count; at++) bits[at] = bits[at]! & 0x7fffffff;
            },
          };
        }),
      ),
    ),
};
