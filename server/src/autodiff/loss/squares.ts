/** Losses of outputs that are no class scores: their mean square, against targets or against zero. */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import { axesOf } from "./cross-entropy.js";
import type { Loss } from "./loss.js";

const meanSquare = (b: GraphBuilder, value: Value, shape: readonly number[], factor: number): Value =>
  b.scale(b.reduceSum(b.mul(value, value), axesOf(shape)), factor / elementCount(shape));

/** mean (y − target)², over all elements as in PyTorch's MSELoss. */
export const meanSquaredError: Loss = {
  id: "mse",
  title: "mean squared error against the data's targets",
  needs: "targets",
  classes: false,
  attach: ({ b, output, shape }) => {
    const name = b.fresh("targets");
    const loss = meanSquare(b, b.sub(output, name), shape, 1);
    return { loss, inputs: [{ kind: "targets", value: { name, dtype: "float", shape } }] };
  },
};

/** ½ mean y². */
export const halfMeanSquare: Loss = {
  id: "half-mean-square",
  title: "half the mean square of the output",
  needs: null,
  classes: false,
  attach: ({ b, output, shape }) => ({ loss: meanSquare(b, output, shape, 1 / 2), inputs: [] }),
};
