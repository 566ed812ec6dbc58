/**
 * Residual blocks y = shortcut(x) + F(x) of a graph (He et al. 2016): sums one of whose sides is x itself, or x through a
 * projection without activation, while everything that enters the other side goes through x. L of Stable ResNet (Hayou
 * et al. 2021, section 4) is their number: projection blocks count, and F is what is scaled.
 */
import type { LayerId } from "../../../protocol/model.js";
import type { Value } from "../builder.js";
import { type Model, type Node, nodeLabel, operatorLabel } from "../graph.js";
import { type Links, linksOf } from "../links.js";
import type { PrunableWeight } from "../prunable.js";
import { constantBehind } from "../weighted-sum.js";
import { followBack, shortcutsOf } from "./paths.js";

export interface ResidualBlock {
  readonly add: Node;
  /** Which input of the sum is F. */
  readonly branchInput: number;
  /** The value that the branch and the shortcut start at. */
  readonly start: Value;
  readonly kind: "identity" | "projection";
  /** An activation follows the sum and nothing else reads it. */
  readonly activationAfter: boolean;
  /** The branch holds attention, or a norm over features: a block of a transformer. */
  readonly transformer: boolean;
  /** Prunable layers of the branch, in the model's order. */
  readonly branch: readonly LayerId[];
  /** Of a projection. */
  readonly shortcut: readonly LayerId[];
}

export interface Residuals {
  /** In the graph's order. */
  readonly blocks: readonly ResidualBlock[];
  /** Sums of two computed values that are no residual block, with the reason. */
  readonly rejected: readonly { readonly add: Node; readonly reason: string }[];
  /** L. */
  readonly additions: number;
}

const activations: ReadonlySet<string> = new Set([
  "Celu",
  "Clip",
  "Elu",
  "Gelu",
  "HardSwish",
  "LeakyRelu",
  "Mish",
  "PRelu",
  "Relu",
  "Selu",
  "Sigmoid",
  "Softplus",
  "Swish",
  "Tanh",
]);
/** They change the resolution back: the sum joins two scales, as in hourglasses and feature pyramids. */
const upscaling: ReadonlySet<string> = new Set(["ConvTranspose", "DepthToSpace", "Resize", "Upsample"]);
const ofTransformers: ReadonlySet<string> = new Set([
  "Attention",
  "LayerNormalization",
  "RMSNormalization",
  "Softmax",
  "com.microsoft.Attention",
  "com.microsoft.MultiHeadAttention",
]);

/** Finds the residual blocks of the main graph. */
export function findResiduals(model: Model, weights: readonly PrunableWeight[]): Residuals {
  const links = linksOf(model.graph);
  const layers = new Map<Node, LayerId[]>();
  for (const { id, uses } of weights) for (const { node } of uses) layers.set(node, [...(layers.get(node) ?? []), id]);
  const blocks: ResidualBlock[] = [];
  const rejected: { add: Node; reason: string }[] = [];
  for (const node of model.graph.nodes) {
    if (node.domain !== "" || (node.op !== "Add" && node.op !== "Sum") || node.inputs.length !== 2) continue;
    // A constant is a bias, or a table of positions.
    if (node.inputs.some((name) => constantBehind(links, name) !== null)) continue;
    const found = blockOf(links, node, layers);
    if (typeof found !== "string") blocks.push(found);
    else rejected.push({ add: node, reason: found });
  }
  return { blocks, rejected, additions: blocks.length };
}

/** The block whose sum `add` is, or why it is none. */
function blockOf(links: Links, add: Node, layers: ReadonlyMap<Node, readonly LayerId[]>): ResidualBlock | string {
  let why = "neither side is the start of the other, or a projection of it";
  for (const branchInput of [1, 0]) {
    const branch = add.inputs[branchInput]!;
    for (const { start, nodes: projection } of shortcutsOf(links, add.inputs[1 - branchInput]!)) {
      const path = followBack(links, branch, start);
      if (path === null) continue;
      const inBranch = path.flatMap((node) => layers.get(node) ?? []);
      const inShortcut = projection.flatMap((node) => layers.get(node) ?? []);
      if (inBranch.length === 0) {
        why = "its branch has no weighted layer";
        continue;
      }
      // Two equal paths from one value are parallel branches: neither is the shortcut.
      if (inBranch.length <= inShortcut.length && !path.some((node) => activations.has(node.op))) {
        why = "both sides are branches of the same depth, none is a shortcut";
        continue;
      }
      if (path.some((node) => upscaling.has(operatorLabel(node)))) {
        why = "its branch goes through another resolution: it joins two scales";
        continue;
      }
      const readers = links.consumers(add.outputs[0]!);
      return {
        add,
        branchInput,
        start,
        kind: inShortcut.length > 0 || projection.length > 0 ? "projection" : "identity",
        activationAfter: readers.length === 1 && activations.has(readers[0]!.op) && !links.isOutput(add.outputs[0]!),
        transformer: path.some((node) => ofTransformers.has(operatorLabel(node))),
        branch: ordered(inBranch, layers),
        shortcut: ordered(inShortcut, layers),
      };
    }
  }
  return why;
}

/** Each once, in the model's order. */
function ordered(ids: readonly LayerId[], layers: ReadonlyMap<Node, readonly LayerId[]>): LayerId[] {
  const wanted = new Set(ids);
  return [...new Set([...layers.values()].flat())].filter((id) => wanted.has(id));
}

/** L and what there is to say about it. */
export function residualWords({ blocks, additions }: Residuals): string {
  if (additions === 0) return "There are no residual blocks: Stable ResNet does not apply.";
  const projections = blocks.filter(({ kind }) => kind === "projection").length;
  const counted = `L = ${additions} residual ${additions === 1 ? "sum" : "sums"}${projections === 0 ? "" : `, ${projections} with a projection`}: Stable ResNet divides their branches by √${additions} = ${Math.sqrt(additions).toPrecision(4)}.`;
  const transformer = blocks.some((block) => block.transformer)
    ? " Blocks of transformers are outside its theorem: measure the effect."
    : "";
  const activated = blocks.filter(({ activationAfter }) => activationAfter).length;
  const after = activated === 0 ? "" : " The theorem has no activation behind the sum; with one the effect is smaller.";
  return counted + transformer + after;
}

/** How a block is called in messages. */
export const blockLabel = ({ add }: ResidualBlock): string => nodeLabel(add);
