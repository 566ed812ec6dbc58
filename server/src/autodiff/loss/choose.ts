/**
 * Which output is judged by which loss. Chosen from the outputs and from what the data offers, or said as
 * `LOSS`, `LOSS:OUTPUT` or `:OUTPUT`.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Value } from "../../graph/builder.js";
import { type Graph, intAttribute, type Node } from "../../graph/graph.js";
import type { ValueTypes } from "../../graph/value-type.js";
import { givenLabels, sampledLabels } from "./cross-entropy.js";
import { losses } from "./index.js";
import type { Loss } from "./loss.js";
import { halfMeanSquare, meanSquaredError } from "./squares.js";

/** An output that a loss can look at. */
interface Judged {
  readonly name: Value;
  /** The value the loss reads: the softmax's input where the output is a softmax. */
  readonly value: Value;
  readonly shape: readonly number[];
  /** Axis of the classes; null when the output does not look like class scores. */
  readonly classAxis: number | null;
}

export interface ChosenLoss {
  readonly loss: Loss;
  readonly output: Value;
  readonly value: Value;
  readonly shape: readonly number[];
  readonly classAxis: number;
  /** What was chosen, in a sentence. */
  readonly words: string;
}

export interface Offered {
  readonly labels: boolean;
  readonly targets: boolean;
  /** Shape of the labels of one batch, where there are any. */
  readonly labelShape: readonly number[] | null;
}

/**
 * Chooses a loss for the main graph. `wanted` overrides.
 * @throws PruneScopeError `bad-request` for a loss or output that is not there, `missing-data` for a loss whose labels
 * or targets are not, `unsupported-op` when no output is a tensor of floats of known shape.
 */
export function chooseLoss(graph: Graph, types: ValueTypes, offered: Offered, wanted: string | null): ChosenLoss {
  const [id, ...rest] = (wanted ?? "").split(":");
  const output = rest.join(":");
  const outputs = graph.outputs.flatMap(({ name }) => judged(graph, types, name));
  if (outputs.length === 0) {
    throw new PruneScopeError(
      "unsupported-op",
      "The model has no output of floats whose shape is known: no loss fits it.",
    );
  }
  const candidates = output === "" ? outputs : outputs.filter(({ name }) => name === output);
  if (candidates.length === 0) {
    const known = outputs.map(({ name }) => `"${name}"`).join(", ");
    throw new PruneScopeError("bad-request", `The model has no output "${output}" for a loss. It has: ${known}.`, {
      value: output,
    });
  }
  const scores = candidates.find(({ classAxis }) => classAxis !== null);
  const automatic = offered.labels
    ? givenLabels
    : offered.targets
      ? meanSquaredError
      : scores !== undefined
        ? sampledLabels
        : halfMeanSquare;
  const loss = id === "" ? automatic : losses.find((one) => one.id === id);
  if (loss === undefined) {
    const known = losses.map((one) => one.id).join(", ");
    throw new PruneScopeError("bad-request", `There is no loss "${id ?? ""}". Choose one of: ${known}.`);
  }
  if (loss.needs !== null && !offered[loss.needs]) {
    throw new PruneScopeError("missing-data", `The loss ${loss.id} needs ${loss.needs}, and the data holds none.`);
  }
  const chosen = (loss.classes ? scores : undefined) ?? candidates[0]!;
  const classAxis =
    labelAxis(chosen.shape, offered.labelShape) ?? chosen.classAxis ?? (chosen.shape.length > 1 ? 1 : 0);
  if (loss.classes && (chosen.shape[classAxis] ?? 0) < 2) {
    throw new PruneScopeError(
      "shape-mismatch",
      `Output "${chosen.name}" has shape [${chosen.shape.join(", ")}]: cross-entropy needs an axis of two classes or more.`,
      { value: chosen.name },
    );
  }
  const value = loss.classes ? chosen.value : chosen.name;
  return {
    loss,
    output: chosen.name,
    value,
    shape: types.get(value)!.shape!,
    classAxis,
    words: `Loss: ${loss.title}, of output "${chosen.name}" [${chosen.shape.join(", ")}].`,
  };
}

/** The axis without which the output has the labels' shape: the second as in PyTorch, else the last. */
function labelAxis(shape: readonly number[], labels: readonly number[] | null): number | null {
  if (labels === null) return null;
  const without = (axis: number): boolean => shape.filter((_, i) => i !== axis).join() === labels.join();
  return [1, shape.length - 1].find(without) ?? null;
}

function judged(graph: Graph, types: ValueTypes, name: Value): Judged[] {
  const type = types.get(name);
  if (type?.dtype !== "float" || type.shape === null) return [];
  const { shape } = type;
  const producer = graph.nodes.find((node) => node.outputs.includes(name));
  const softmax = producer === undefined ? null : softmaxAxis(producer, shape.length);
  if (softmax !== null) {
    const before = producer!.inputs[0]!;
    // Logarithms of probabilities are scores already: their log-softmax is themselves.
    return [{ name, value: producer!.op === "Softmax" ? before : name, shape, classAxis: softmax }];
  }
  const linear = producer !== undefined && linearEnds.has(producer.op);
  return [{ name, value: name, shape, classAxis: linear && shape.length === 2 && shape[1]! > 1 ? 1 : null }];
}

/** Operators that class scores of a classifier without a softmax end in. */
const linearEnds: ReadonlySet<string> = new Set([
  "Gemm",
  "MatMul",
  "Add",
  "Flatten",
  "Reshape",
  "Squeeze",
  "ReduceMean",
]);

function softmaxAxis(node: Node, rank: number): number | null {
  if (node.domain !== "" || (node.op !== "Softmax" && node.op !== "LogSoftmax")) return null;
  const axis = intAttribute(node, "axis", -1);
  return axis < 0 ? axis + rank : axis;
}
