/**
 * Residual blocks y = shortcut(x) + F(x) of a graph (He et al. 2016): sums one of whose sides is x itself, or x through a
 * projection without activation, while everything that enters the other side goes through x. L of Stable ResNet (Hayou
 * et al. 2021, section 4) is their number: projection blocks count, and F is what is scaled.
 */
import type { LayerId } from "../../../protocol/model.js";
import type { Value } from "../builder.js";
import { type Model, type Node, nodeLabel, operatorLabel } from "../graph.js";
import { type Links, linksOf } from "../links.js";
import { activations } from "../operator-kinds.js";
import type { PrunableWeight } from "../prunable.js";
import { allGraphs } from "../traversal.js";
import { Branches, shortcutsOf } from "./paths.js";
import { type Signals, signalsOf } from "./signals.js";

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

const gates: ReadonlySet<string> = new Set(["HardSigmoid", "Sigmoid"]);
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

export interface ResidualOptions {
  /** Whether blocks of transformers count; they do when this is absent. */
  readonly transformers?: boolean;
}

/** Finds the residual blocks of the main graph; sums in branches and bodies are rejected, because nothing can be put there. */
export function findResiduals(
  model: Model,
  weights: readonly PrunableWeight[],
  { transformers = true }: ResidualOptions = {},
): Residuals {
  const layers = new Map<Node, LayerId[]>();
  const positions = new Map(weights.map(({ id }, i) => [id, i]));
  for (const { id, uses } of weights) for (const { node } of uses) layers.set(node, [...(layers.get(node) ?? []), id]);
  const blocks: ResidualBlock[] = [];
  const rejected: { add: Node; reason: string }[] = [];
  for (const graph of allGraphs(model.graph)) {
    const signals = signalsOf(linksOf(graph), layers);
    const search: Search = { branches: new Branches(signals), layers, positions };
    for (const node of graph.nodes) {
      const fused = fusedSum(node, signals);
      if (fused !== null) rejected.push({ add: node, reason: fused });
      if (node.domain !== "" || (node.op !== "Add" && node.op !== "Sum") || node.inputs.length !== 2) continue;
      // The other side is a bias, or a table of positions.
      if (!node.inputs.every(signals.carries)) continue;
      const found = blockOf(search, node);
      if (typeof found === "string") rejected.push({ add: node, reason: found });
      else if (graph.parent !== null)
        rejected.push({ add: node, reason: `it lies in ${graph.path}, where no node can be added` });
      else if (found.transformer && !transformers) rejected.push({ add: node, reason: "it is a transformer's" });
      else blocks.push(found);
    }
  }
  return { blocks, rejected, additions: blocks.length };
}

/** What a search for blocks looks at. */
interface Search {
  readonly branches: Branches;
  readonly layers: ReadonlyMap<Node, readonly LayerId[]>;
  /** Of layers in the model. */
  readonly positions: ReadonlyMap<LayerId, number>;
}

/** Why a fused operator that adds two signals is no block of ours; null for other operators. */
function fusedSum(node: Node, { carries }: Signals): string | null {
  const label = operatorLabel(node);
  const at = Object.hasOwn(fusedSums, label) ? fusedSums[label]! : null;
  if (at === null || !carries(node.inputs[at] ?? "")) return null;
  return `its sum is part of ${label}: export the model without fusions to have it scaled`;
}

/** Index of the input that is added to the other signal. */
const fusedSums: Readonly<Record<string, number>> = {
  "com.microsoft.FusedConv": 3,
  "com.microsoft.FusedGemm": 2,
  "com.microsoft.QLinearAdd": 3,
  "com.microsoft.SkipGroupNorm": 4,
  "com.microsoft.SkipLayerNormalization": 1,
  "com.microsoft.SkipSimplifiedLayerNormalization": 1,
};

/** The block whose sum `add` is, or why it is none. */
function blockOf({ branches, layers, positions }: Search, add: Node): ResidualBlock | string {
  const { links } = branches.signals;
  const ordered = (ids: readonly LayerId[]): LayerId[] =>
    [...new Set(ids)].sort((a, b) => positions.get(a)! - positions.get(b)!);
  let why = "neither side is the start of the other, or a projection of it";
  for (const branchInput of [1, 0]) {
    const branch = add.inputs[branchInput]!;
    for (const { start, nodes: projection } of shortcutsOf(branches.signals, add.inputs[1 - branchInput]!)) {
      const { nodes: path, met, others } = branches.between(start, branch);
      if (!met || start === branch) continue;
      if (others) {
        why = "what is added to the shortcut does not come from its start alone";
        continue;
      }
      const inBranch = ordered(path.flatMap((node) => layers.get(node) ?? []));
      const inShortcut = ordered(projection.flatMap((node) => layers.get(node) ?? []));
      if (inBranch.length === 0) {
        why = "its branch has no weighted layer";
        continue;
      }
      // Two paths of one kind from one value are parallel branches. A branch is deeper than its projection, or bends.
      if (inBranch.length <= inShortcut.length && !path.some((node) => activations.has(node.op))) {
        why = "both sides are branches of the same depth, none is a shortcut";
        continue;
      }
      if (path.some((node) => upscaling.has(operatorLabel(node)))) {
        why = "its branch goes through another resolution: it joins two scales";
        continue;
      }
      return {
        add,
        branchInput,
        start,
        kind: projection.length > 0 ? "projection" : "identity",
        activationAfter: isActivated(links, add.outputs[0]!),
        transformer: isOfTransformer(path),
        branch: inBranch,
        shortcut: inShortcut,
      };
    }
  }
  return why;
}

/** Whether an activation follows a value and nothing else reads it. */
function isActivated(links: Links, value: Value): boolean {
  const readers = links.consumers(value);
  if (links.isOutput(value)) return false;
  const [first, second, ...others] = readers;
  if (first === undefined || others.length > 0) return false;
  if (second === undefined) return activations.has(first.op);
  // x·σ(x), spelt out: SiLU, and HardSwish in the form of older exporters.
  const [gate, product] = first.op === "Mul" ? [second, first] : [first, second];
  return gates.has(gate.op) && product.op === "Mul" && product.inputs.includes(gate.outputs[0]!);
}

/** Attention, or a norm over features: as one operator or spelt out as the mean that is subtracted. */
function isOfTransformer(path: readonly Node[]): boolean {
  const means = new Set(path.filter(({ op }) => op === "ReduceMean").map(({ outputs }) => outputs[0]));
  return path.some(
    (node) => ofTransformers.has(operatorLabel(node)) || (node.op === "Sub" && means.has(node.inputs[1] ?? "")),
  );
}

/** L and what there is to say about it. */
export function residualWords({ blocks, additions }: Residuals): string {
  if (additions === 0) return "There are no residual blocks: Stable ResNet does not apply.";
  const projections = blocks.filter(({ kind }) => kind === "projection").length;
  const counted = `L = ${additions} residual ${additions === 1 ? "sum" : "sums"}${projections === 0 ? "" : `, ${projections} with a projection`}: Stable ResNet divides ${additions === 1 ? "its branch" : "their branches"} by √${additions} = ${Math.sqrt(additions).toPrecision(4)}.`;
  const transformer = blocks.some((block) => block.transformer)
    ? " Blocks of transformers are outside its theorem: measure the effect."
    : "";
  const activated = blocks.filter(({ activationAfter }) => activationAfter).length;
  const after = activated === 0 ? "" : " The theorem has no activation behind the sum; with one the effect is smaller.";
  return counted + transformer + after;
}

/** How a block is called in messages. */
export const blockLabel = ({ add }: ResidualBlock): string => nodeLabel(add);
