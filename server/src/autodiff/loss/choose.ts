/**
 * Which output is judged by which loss. Chosen from the outputs and from what the data offers, or said as
 * `LOSS`, `LOSS:OUTPUT` or `:OUTPUT`.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Value } from "../../graph/builder.js";
import { type Graph, intAttribute, type Node, operatorLabel } from "../../graph/graph.js";
import type { ValueTypes } from "../../graph/value-type.js";
import { givenLabels, sampledLabels } from "./cross-entropy.js";
import { losses } from "./index.js";
import type { Loss } from "./loss.js";
import { halfMeanSquare, meanSquaredError } from "./squares.js";

/** An output that a loss can look at. */
interface Judged {
  readonly name: Value;
  readonly shape: readonly number[];
  /** Its class scores; null when it does not look like any. */
  readonly scores: Scores | null;
}

/** Class scores: what the loss reads, the softmax's input where the output is a softmax. */
interface Scores {
  readonly value: Value;
  readonly shape: readonly number[];
  readonly axis: number;
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

/** What the data offers beside inputs. */
export interface Offered {
  /** Shape of the labels of one run; null when there are none. */
  readonly labels: readonly number[] | null;
  /** The output that each target is for; null where the data does not say. */
  readonly targets: readonly (string | null)[];
}

/**
 * Chooses a loss for the main graph. `wanted` overrides.
 * @throws PruneScopeError `bad-request` for a loss or output that is not there, `missing-data` for a loss whose labels
 * or targets are not, `shape-mismatch` for cross-entropy of fewer than two classes, `unsupported-op` when no output is a
 * tensor of floats of known shape.
 */
export function chooseLoss(graph: Graph, types: ValueTypes, offered: Offered, wanted: string | null): ChosenLoss {
  // What follows the first colon is the output, whose own name may hold more of them.
  const [id, ...rest] = (wanted ?? "").split(":");
  const candidates = outputsToJudge(graph, types, rest.join(":"));
  const classified = candidates.find(({ scores }) => scores !== null);
  const targeted = candidates.find(({ name }) => offered.targets.includes(name));
  const automatic =
    offered.labels !== null
      ? givenLabels
      : offered.targets.includes(null) || targeted !== undefined
        ? meanSquaredError
        : classified !== undefined
          ? sampledLabels
          : halfMeanSquare;
  const loss = id === "" ? automatic : losses.find((one) => one.id === id);
  if (loss === undefined) {
    const known = losses.map((one) => one.id).join(", ");
    throw new PruneScopeError("bad-request", `There is no loss "${id ?? ""}". Choose one of: ${known}.`);
  }
  const judged = (loss.classes ? classified : targeted) ?? candidates[0]!;
  requireSupervision(loss, judged.name, offered);
  const { name, shape, scores } = judged;
  const words = `Loss: ${loss.title}, of output "${name}" [${shape.join(", ")}].`;
  if (!loss.classes) return { loss, output: name, value: name, shape, classAxis: 0, words };
  const read = scores ?? { value: name, shape, axis: shape.length > 1 ? 1 : 0 };
  const classAxis = classAxisOf(read, offered.labels);
  if ((read.shape[classAxis] ?? 0) < 2) {
    throw new PruneScopeError(
      "shape-mismatch",
      `Output "${name}" has shape [${shape.join(", ")}]: cross-entropy needs an axis of two classes or more.`,
      { value: name },
    );
  }
  return { loss, output: name, value: read.value, shape: read.shape, classAxis, words };
}

/** Outputs that a loss can look at: the one called `wanted`, or all when it is empty. At least one. */
function outputsToJudge(graph: Graph, types: ValueTypes, wanted: string): Judged[] {
  const outputs = graph.outputs.flatMap(({ name }) => judgedOutput(graph, types, name));
  if (outputs.length === 0) {
    throw new PruneScopeError(
      "unsupported-op",
      "The model has no output of floats whose shape is known: no loss fits it.",
    );
  }
  const candidates = wanted === "" ? outputs : outputs.filter(({ name }) => name === wanted);
  if (candidates.length > 0) return candidates;
  const known = outputs.map(({ name }) => `"${name}"`).join(", ");
  throw new PruneScopeError("bad-request", `The model has no output "${wanted}" for a loss. It has: ${known}.`, {
    value: wanted,
  });
}

/** @throws PruneScopeError `missing-data` when the data lacks what `loss` holds the output against. */
function requireSupervision({ id, needs }: Loss, output: Value, { labels, targets }: Offered): void {
  if (needs === "labels" && labels === null)
    throw new PruneScopeError("missing-data", `The loss ${id} needs labels, and the data holds none.`);
  if (needs === "targets" && !targets.includes(output) && !targets.includes(null)) {
    const held = targets.length === 0 ? "none" : `those of ${targets.map((name) => `"${name ?? ""}"`).join(", ")} only`;
    throw new PruneScopeError(
      "missing-data",
      `The loss ${id} of "${output}" needs targets, and the data holds ${held}.`,
      {
        value: output,
      },
    );
  }
}

/**
 * The axis of the classes: the one that the scores suggest; where the labels' shape is not what is left without it, the
 * second as in PyTorch or the last.
 */
function classAxisOf({ shape, axis }: Scores, labels: readonly number[] | null): number {
  if (labels === null) return axis;
  const fits = (one: number): boolean => shape.filter((_, i) => i !== one).join() === labels.join();
  return [axis, 1, shape.length - 1].find(fits) ?? axis;
}

function judgedOutput(graph: Graph, types: ValueTypes, name: Value): Judged[] {
  const type = types.get(name);
  if (type?.dtype !== "float" || type.shape === null) return [];
  const { shape } = type;
  return [{ name, shape, scores: classScores(graph, types, name, shape) }];
}

/** Class scores behind an output, seen through operators that only give it another shape. */
function classScores(graph: Graph, types: ValueTypes, name: Value, shape: readonly number[]): Scores | null {
  const producerOf = (value: Value): Node | undefined => graph.nodes.find((node) => node.outputs.includes(value));
  let producer = producerOf(name);
  while (producer !== undefined && shapers.has(operatorLabel(producer))) producer = producerOf(producer.inputs[0]!);
  const label = producer === undefined ? "" : operatorLabel(producer);
  if (producer !== undefined && (label === "Softmax" || label === "LogSoftmax")) {
    // Logarithms of probabilities are scores already: their log-softmax is themselves.
    const value = label === "Softmax" ? producer.inputs[0]! : producer.outputs[0]!;
    const scored = types.get(value)?.shape ?? null;
    const axis = intAttribute(producer, "axis", -1);
    return scored === null ? null : { value, shape: scored, axis: axis < 0 ? axis + scored.length : axis };
  }
  return linearEnds.has(label) && shape.length === 2 && shape[1]! > 1 ? { value: name, shape, axis: 1 } : null;
}

/** Operators that give a value another shape and leave its elements and their order. */
const shapers: ReadonlySet<string> = new Set(["Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"]);

/** Operators that class scores of a classifier without a softmax end in. */
const linearEnds: ReadonlySet<string> = new Set(["Add", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "ReduceMean"]);
