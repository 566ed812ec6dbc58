/**
 * What follows a layer's pre-activations: the activation, or what stands before it and takes the layer out of the plain
 * theory (a norm, a residual sum, attention, a gate, the end of the network).
 */
import type { TheoryLimit } from "../../../protocol/insights.js";
import type { Value } from "../../graph/builder.js";
import { type Node, nodeLabel, operatorLabel } from "../../graph/graph.js";
import type { Links } from "../../graph/links.js";
import { constantBehind } from "../../graph/weighted-sum.js";
import type { Activation } from "../activations/activation.js";
import { activationOfNode, isActivation } from "./activation-operators.js";
import { type RegionReader, regionsBehind } from "./pointwise-region.js";

export interface Following {
  /** Null where there is none, or none that we know. */
  readonly activation: Activation | null;
  readonly limits: readonly TheoryLimit[];
  /** What stands between the layer and its activation, nearest first. */
  readonly between: readonly TheoryLimit["kind"][];
}

/** Operators that move elements, or pass them on, without a new distribution. */
const movers: ReadonlySet<string> = new Set([
  "Cast",
  "Concat",
  "Dropout",
  "Expand",
  "Flatten",
  "Gather",
  "Identity",
  "MaxPool",
  "Pad",
  "Reshape",
  "Resize",
  "Slice",
  "Split",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
  "Upsample",
]);

const norms: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "GroupNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "LpNormalization",
  "MeanVarianceNormalization",
  "RMSNormalization",
  "SimplifiedLayerNormalization",
  "com.microsoft.SkipLayerNormalization",
  "com.microsoft.SkipSimplifiedLayerNormalization",
]);

const weighted: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "GRU", "LSTM", "MatMul", "RNN"]);
const choices: ReadonlySet<string> = new Set(["ArgMax", "LogSoftmax", "Softmax", "TopK"]);
/** They look at shapes only. */
const shapes: ReadonlySet<string> = new Set(["Shape", "Size"]);

/** Longest way from a layer to its activation. */
const longest = 32;

/** Follows `value`, a layer's pre-activations, to what is done with them. */
export async function followingOf(links: Links, value: Value, regions: RegionReader): Promise<Following> {
  const limits: TheoryLimit[] = [];
  const between: TheoryLimit["kind"][] = [];
  const add = (kind: TheoryLimit["kind"], words: string): void => {
    limits.push({ kind, words });
    between.push(kind);
  };
  const end = (kind: TheoryLimit["kind"], words: string): Following => {
    add(kind, words);
    return { activation: null, limits, between };
  };
  const lastWords = "Nothing follows it but the output: σ_w = 1 passes the variance on.";
  for (let name = value, steps = 0; steps < longest; steps++) {
    const readers = links.consumers(name).filter((node) => !shapes.has(operatorLabel(node)));
    const [first, ...others] = readers;
    if (first === undefined || (links.isOutput(name) && others.length === 0 && !isActivation(first)))
      return end("last", lastWords);
    const known = readers.map((node) => activationOfNode(node, links));
    if (known[0] != null && known.every((one) => one?.name === known[0]!.name))
      return { activation: known[0], limits, between };
    for (const region of regionsBehind(links, name)) {
      const recognised = await regions.activationOf(region);
      if (recognised !== null && recognised.name !== "identity") return { activation: recognised, limits, between };
    }
    const norm = readers.find((node) => norms.has(operatorLabel(node)) && node.inputs[0] === name);
    const spelt = norm === undefined ? speltNorm(links, readers) : null;
    if (norm !== undefined || spelt !== null) {
      if (!between.includes("normalised"))
        add(
          "normalised",
          `${norm === undefined ? "A norm spelt out in operators" : operatorLabel(norm)} follows it: with the batch's statistics the scale of its weights does not matter, and advice on σ_w does not apply; measured values are shown.`,
        );
      name = norm?.outputs[0] ?? spelt!;
      continue;
    }
    const sum = readers.find((node) => node.op === "Add" && !hasConstant(links, node, name));
    if (sum !== undefined) {
      if (!between.includes("residual"))
        add(
          "residual",
          `It is added to another path in "${nodeLabel(sum)}": variances add up over depth, which the recursion of a plain network does not cover; measured values are shown.`,
        );
      name = sum.outputs[0]!;
      continue;
    }
    if (readers.every((node) => choices.has(operatorLabel(node)))) {
      const leads = readers.every((node) => node.outputs.some((one) => leadsOut(links, one)));
      return leads ? end("last", lastWords) : end("attention", attentionWords(first));
    }
    const product = readers.find((node) => node.op === "MatMul" && !hasConstant(links, node, name));
    if (product !== undefined) return end("attention", attentionWords(product));
    const gate = readers.find((node) => node.op === "Mul" && !hasConstant(links, node, name));
    if (gate !== undefined)
      return end(
        "gated",
        `It is multiplied by another path in "${nodeLabel(gate)}": a product of two signals is outside the theory; measured values are shown.`,
      );
    const ends = (node: Node): boolean => weighted.has(operatorLabel(node)) || isPooling(node);
    if (readers.some(ends) && readers.every((node) => ends(node) || movers.has(operatorLabel(node))))
      return end(
        "no-activation",
        `No activation follows it before "${nodeLabel(first)}": σ_w = 1 passes the variance on.`,
      );
    if (others.length === 0 && movers.has(operatorLabel(first))) {
      name = first.outputs[0]!;
      continue;
    }
    // Several readers that only move it: all of them must lead to one and the same.
    if (readers.every((node) => movers.has(operatorLabel(node)))) {
      name = first.outputs[0]!;
      continue;
    }
    // A constant factor or shift keeps the form of the distribution.
    if (others.length === 0 && ["Mul", "Div", "Add", "Sub"].includes(first.op) && hasConstant(links, first, name)) {
      name = first.outputs[0]!;
      continue;
    }
    return end(
      "unknown-activation",
      `What follows it is no activation that the theory knows: ${[...new Set(readers.map(operatorLabel))].join(", ")} ("${nodeLabel(first)}"); measured values are shown.`,
    );
  }
  return end("unknown-activation", "What follows it is too far away to be told.");
}

const attentionWords = (node: Node): string =>
  `It feeds attention ("${nodeLabel(node)}"), whose softmax and products of signals are outside the theory; measured values are shown.`;

const isPooling = (node: Node): boolean => /Pool$|^ReduceMean$/.test(node.op);

/** Whether an operand besides `name` is a constant. */
function hasConstant(links: Links, node: Node, name: Value): boolean {
  return node.inputs.some((other) => other !== name && other !== "" && constantBehind(links, other) !== null);
}

/** A norm spelt out: its mean is taken and subtracted. @returns the difference, which carries the signal on. */
function speltNorm(links: Links, readers: readonly Node[]): Value | null {
  const mean = readers.find((node) => node.op === "ReduceMean");
  if (mean === undefined) return null;
  const difference = readers.find((node) => node.op === "Sub" && node.inputs.includes(mean.outputs[0]!));
  if (difference === undefined) return null;
  // … − mean, over the root of the mean square, times γ, plus β.
  let name = difference.outputs[0]!;
  for (let steps = 0; steps < 4; steps++) {
    const next = links
      .consumers(name)
      .find((node) => ["Div", "Mul", "Add"].includes(node.op) && node.inputs[0] === name);
    if (next === undefined) break;
    name = next.outputs[0]!;
  }
  return name;
}

/** Whether a value is an output, or only moved on its way to one. */
function leadsOut(links: Links, value: Value, depth = 0): boolean {
  if (links.isOutput(value)) return true;
  const readers = links.consumers(value);
  return (
    depth < longest &&
    readers.length > 0 &&
    readers.every(
      (node) => movers.has(operatorLabel(node)) && node.outputs.some((one) => leadsOut(links, one, depth + 1)),
    )
  );
}
