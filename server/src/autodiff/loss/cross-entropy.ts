/**
 * Cross-entropy of class scores, the mean of −log p(label): with labels that are given, drawn from the model's own
 * softmax, or the model's own first choice.
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import type { AttachedLoss, Loss, LossInput, LossSite } from "./loss.js";

/** Labels of a site: class numbers of the output's shape without its class axis. */
type Labels = (site: LossSite) => { readonly value: Value; readonly inputs: readonly LossInput[] };

function crossEntropy(site: LossSite, labels: Labels): AttachedLoss {
  const { b, output, shape, classAxis, temperature } = site;
  const classes = shape[classAxis]!;
  const { value, inputs } = labels(site);
  const oneHot = b.op("OneHot", [value, b.ints([classes]), b.literal("float", [2], [0, 1])], { axis: classAxis });
  const logProbability = b.op("LogSoftmax", [b.scale(output, 1 / temperature)], { axis: classAxis });
  const sum = b.reduceSum(b.mul(logProbability, oneHot), axesOf(shape));
  return { loss: b.scale(sum, (-1 * classes) / elementCount(shape)), inputs };
}

/** Labels that come with the data. */
export const givenLabels: Loss = {
  id: "cross-entropy",
  title: "cross-entropy with the data's labels",
  needs: "labels",
  classes: true,
  attach: (site) =>
    crossEntropy(site, ({ b, shape, classAxis }) => {
      const name = b.fresh("labels");
      const value = { name, dtype: "int64" as const, shape: shape.filter((_, axis) => axis !== classAxis) };
      return { value: name, inputs: [{ kind: "labels", value }] };
    }),
};

/**
 * Labels drawn from the model's softmax: the largest of score + Gumbel noise is a class drawn with its probability
 * (Gumbel 1954; Maddison et al. 2014, arXiv 1411.0030), so that drawing takes no pass of its own.
 */
export const sampledLabels: Loss = {
  id: "cross-entropy-sampled",
  title: "cross-entropy with labels sampled from the model's own softmax",
  needs: null,
  classes: true,
  attach: (site) =>
    crossEntropy(site, ({ b, output, shape, classAxis }) => {
      const name = b.fresh("gumbel");
      const value = { name, dtype: "float" as const, shape };
      return { value: largest(b, b.add(output, name), classAxis), inputs: [{ kind: "gumbel", value }] };
    }),
};

/** The model's first choice as its label. */
export const ownLabels: Loss = {
  id: "cross-entropy-argmax",
  title: "cross-entropy with the model's first choice as label",
  needs: null,
  classes: true,
  attach: (site) =>
    crossEntropy(site, ({ b, output, classAxis }) => ({ value: largest(b, output, classAxis), inputs: [] })),
};

const largest = (b: GraphBuilder, value: Value, axis: number): Value => b.op("ArgMax", [value], { axis, keepdims: 0 });

/** All axes of a shape. */
export const axesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => axis);
