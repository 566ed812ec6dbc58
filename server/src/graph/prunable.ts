/**
 * Which tensors are weights that can be pruned, and which of their axes play which part. A weight is found from the
 * node that uses it, back through operators that only move or rescale elements. Tied weights are one weight with
 * several uses.
 */
import type { AxisRoles, LayerId, UnprunableView } from "../../protocol/model.js";
import { intAttribute, nodeLabel, operatorLabel, type Constant, type Graph, type Model, type Node } from "./graph.js";
import { elementCount, holdsCodes, isFloat, storageKey, type TensorRef } from "./tensor.js";
import { type Dequantisation, passesWeights, range, Tracer } from "./origin.js";
import { allGraphs, allNodes } from "./traversal.js";

/** One use of a weight: input `index` of a node. */
export interface WeightUse {
  readonly node: Node;
  readonly graph: Graph;
  readonly index: number;
}

/** A weight that pruning may touch. */
export interface PrunableWeight {
  readonly id: LayerId;
  /** Name of the tensor in the file. */
  readonly name: string;
  /** The stored elements that can be pruned. */
  readonly tensor: TensorRef;
  /** Number of stored elements. */
  readonly size: number;
  /** Shape of the dense tensor. */
  readonly shape: readonly number[];
  readonly uses: readonly WeightUse[];
  /** Axes of the *stored* tensor. */
  readonly roles: AxisRoles;
  /** Operators between the tensor and its first use, nearest the tensor first. */
  readonly via: readonly string[];
  readonly dequantisation: Dequantisation | null;
  /** True where the file stores only some elements of the dense tensor. */
  readonly sparse: boolean;
  /** Where the stored elements belong in the dense tensor, if they are only some of it. */
  readonly indices: Constant | null;
  /** Why its axes have no one part to play: uses of a tied weight that differ, in a sentence; null when they agree. */
  readonly disagreement: string | null;
}

export interface PrunableSearch {
  /** In topological order of first use. */
  readonly weights: readonly PrunableWeight[];
  readonly unprunable: readonly UnprunableView[];
  /** Elements of every constant of the file that is a trained number. */
  readonly parameters: number;
}

type Roles = (node: Node, index: number, shape: readonly number[]) => AxisRoles | null;

/** Groups of a convolution; what cannot be is read as 1, and left for the runtime to refuse. */
function groupsOf(node: Node): number {
  const groups = intAttribute(node, "group", 1);
  return Number.isSafeInteger(groups) && groups >= 1 ? groups : 1;
}

const conv: Roles = (node, index, shape) =>
  index === 1 && shape.length >= 3
    ? { out: [0], in: [1], spatial: range(2, shape.length), batch: [], groups: groupsOf(node) }
    : null;

const convTranspose: Roles = (node, index, shape) =>
  index === 1 && shape.length >= 3
    ? { out: [1], in: [0], spatial: range(2, shape.length), batch: [], groups: groupsOf(node) }
    : null;

const gemm: Roles = (node, index, shape) => {
  if (index > 1 || shape.length !== 2) return null;
  const transposed = intAttribute(node, index === 0 ? "transA" : "transB", 0) !== 0;
  // A is [M, K], B is [K, N]: the reduction axis K is A's last and B's first, the other way round when transposed.
  const reduction = (index === 0) !== transposed ? 1 : 0;
  return { out: [1 - reduction], in: [reduction], spatial: [], batch: [], groups: 1 };
};

const matMul: Roles = (node, index, shape) => {
  const rank = shape.length;
  if (index > 1 || rank === 0) return null;
  if (rank === 1) return { out: [], in: [0], spatial: [], batch: [], groups: 1 };
  // FusedMatMul can transpose either side.
  const transposed = intAttribute(node, index === 0 ? "transA" : "transB", 0) !== 0;
  const reduction = (index === 0) !== transposed ? rank - 1 : rank - 2;
  return { out: [2 * rank - 3 - reduction], in: [reduction], spatial: [], batch: range(0, rank - 2), groups: 1 };
};

const recurrent: Roles = (_node, index, shape) =>
  (index === 1 || index === 2) && shape.length === 3 ? { out: [1], in: [2], spatial: [], batch: [0], groups: 1 } : null;

/** Operators whose weights are pruned, by `operatorLabel`: input and axes. */
const prunableOperators: Readonly<Record<string, Roles>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  GRU: recurrent,
  Gemm: gemm,
  LSTM: recurrent,
  MatMul: matMul,
  RNN: recurrent,
  "com.microsoft.FusedConv": conv,
  "com.microsoft.FusedGemm": gemm,
  "com.microsoft.FusedMatMul": matMul,
};

/** Domains whose operators we know: a constant of an operator that is not in the table above is no weight there. */
const knownDomains: ReadonlySet<string> = new Set([
  "",
  "ai.onnx.ml",
  "ai.onnx.training",
  "com.microsoft",
  "com.microsoft.nchwc",
]);

/** Finds every prunable weight of a model, and says of the other weight-like tensors why they are not. */
export function findPrunable(model: Model): PrunableSearch {
  const tracer = new Tracer();
  const found = new Map<string, PrunableWeight & { uses: WeightUse[]; disagreement: string | null }>();
  const refusals = new Refusals();
  const ids = new LayerIds();

  for (const { node, graph } of allNodes(model.graph)) {
    const label = operatorLabel(node);
    const roles = Object.hasOwn(prunableOperators, label) ? prunableOperators[label] : undefined;
    node.inputs.forEach((input, index) => {
      if (input === "") return;
      const origin = tracer.trace(graph, input);
      if (origin === null) return;
      const { constant } = origin;
      const shape = constant.sparse?.shape ?? constant.tensor.shape;
      const key = keyOf(origin.graph, constant);
      const refuse = (reason: string): void => {
        refusals.add(key, { weight: constant.name, shape, reason });
      };
      if (origin.blocked !== null) {
        if (roles?.(node, index, origin.shape) != null) refuse(origin.blocked);
        return;
      }
      const unknown = !knownDomains.has(node.domain) && shape.length >= 2;
      const seen = roles?.(node, index, origin.shape) ?? (unknown ? noRoles : null);
      if (seen === null) {
        if (shape.length >= 2 && isFloat(constant.tensor.dtype) && !passesWeights(node)) {
          const reason = `input ${index} of ${label} is not a weight that pruning touches`;
          refusals.addWeak(key, { weight: constant.name, shape, reason });
        }
        return;
      }
      const quantised = origin.dequantisation !== null;
      const { dtype } = constant.tensor;
      if (!(isFloat(dtype) || (quantised && (dtype === "int8" || dtype === "uint8")))) {
        refuse(`its elements are ${dtype}`);
        return;
      }
      if (constant.tensor.path === "") {
        refuse("its elements do not lie in the file in one piece");
        return;
      }
      if (constant.tensor.encoding === "varint" && dtype !== "float16" && dtype !== "bfloat16") {
        refuse(`its ${dtype} elements are stored as varints`);
        return;
      }
      const use: WeightUse = { node, graph, index };
      const known = found.get(key);
      const mapped = origin.axes === null ? noRoles : mapRoles(seen, origin.axes);
      if (known !== undefined) {
        known.uses.push(use);
        if (!sameReduction(known.roles, mapped))
          known.disagreement ??= `${nodeLabel(known.uses[0]!.node)} and ${nodeLabel(node)} sum over different axes of it`;
        return;
      }
      found.set(key, {
        id: ids.add(origin.graph.path === "" ? constant.name : `${origin.graph.path}/${constant.name}`),
        name: constant.name,
        tensor: constant.tensor,
        size: elementCount(constant.tensor.shape),
        shape,
        uses: [use],
        roles: mapped,
        via: origin.via,
        dequantisation: origin.dequantisation,
        sparse: constant.sparse !== null,
        indices: constant.sparse?.indices ?? null,
        disagreement: null,
      });
    });
  }

  let parameters = 0;
  const counted = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    for (const constant of graph.constants.values()) {
      const key = keyOf(graph, constant);
      const { dtype, shape } = constant.tensor;
      if (counted.has(key) || constant.origin === "made" || !(isFloat(dtype) || found.has(key))) continue;
      counted.add(key);
      parameters += elementCount(shape);
    }
  }
  return {
    weights: [...found.values()].filter((weight) => weight.size > 0),
    unprunable: refusals.except(found),
    parameters,
  };
}

const noRoles: AxisRoles = { out: [], in: [], spatial: [], batch: [], groups: 1 };

/** Identity of a constant: that of its storage where it has one. */
function keyOf(graph: Graph, constant: Constant): string {
  return constant.tensor.path === "" ? `inline ${graph.path}\n${constant.name}` : storageKey(constant.tensor);
}

/** Unique names of layers: a name that is taken gets a number behind it. */
class LayerIds {
  readonly #taken = new Set<LayerId>();
  /** Number to try next for a name, so that many of one name take no quadratic search. */
  readonly #next = new Map<string, number>();

  add(base: string): LayerId {
    let id = base;
    let n = this.#next.get(base) ?? 2;
    for (; this.#taken.has(id); n++) id = `${base}#${n}`;
    this.#next.set(base, n);
    this.#taken.add(id);
    return id;
  }
}

/** Why tensors that look like weights are not pruned, in the order in which they were met. */
class Refusals {
  readonly #views = new Map<string, UnprunableView>();
  readonly #strong = new Set<string>();

  /** A reason that lies in the tensor or on its way to an operator whose weights are pruned: it says most. */
  add(key: string, view: UnprunableView): void {
    if (this.#strong.has(key)) return;
    this.#strong.add(key);
    this.#views.set(key, view);
  }

  /** A use that is no weight: worth saying when there is nothing else to say. */
  addWeak(key: string, view: UnprunableView): void {
    if (!this.#views.has(key)) this.#views.set(key, view);
  }

  /** All but those whose tensor is pruned by another use. */
  except(found: ReadonlyMap<string, unknown>): UnprunableView[] {
    return [...this.#views].filter(([key]) => !found.has(key)).map(([, view]) => view);
  }
}

const sameReduction = (a: AxisRoles, b: AxisRoles): boolean =>
  a.groups === b.groups && a.in.length === b.in.length && a.in.every((axis, i) => axis === b.in[i]);

function mapRoles(roles: AxisRoles, axes: readonly (readonly number[])[]): AxisRoles {
  const map = (list: readonly number[]): number[] => list.flatMap((axis) => axes[axis]!);
  return { ...roles, out: map(roles.out), in: map(roles.in), spatial: map(roles.spatial), batch: map(roles.batch) };
}

/** Whether its elements are codes of few numbers: integers that the graph dequantises, or codes of the file itself. */
export const isQuantised = ({ dequantisation, tensor }: Pick<PrunableWeight, "dequantisation" | "tensor">): boolean =>
  dequantisation !== null || holdsCodes(tensor);

/** Label of a layer: the node that uses it first. */
export function layerLabel(weight: PrunableWeight): { readonly name: string; readonly op: string } {
  const { node } = weight.uses[0]!;
  return { name: nodeLabel(node), op: operatorLabel(node) };
}
