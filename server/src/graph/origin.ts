/**
 * Where a value's elements are stored: back from a node's input through operators that move or rescale elements
 * (transposes, reshapes, gate reordering by Slice and Concat, dequantisation) to one constant, with its axes followed.
 */
import { intAttribute, intsAttribute, type Constant, type Graph, type Node } from "./graph.js";
import { elementCount, maxRank } from "./tensor.js";
import { Scopes } from "./traversal.js";

/** Whole numbers from `from` up to but not including `to`. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** How stored integers become weights: w = scale · (q − zeroPoint), along `axis` where scale has several elements. */
export interface Dequantisation {
  readonly scale: Constant;
  readonly zeroPoint: Constant | null;
  readonly axis: number;
}

export interface Origin {
  readonly constant: Constant;
  readonly graph: Graph;
  readonly via: readonly string[];
  /** Shape as the using node sees it. */
  readonly shape: readonly number[];
  /**
   * Axes of the stored tensor for each axis that the node sees: one; none for an axis of length 1 that it does not have;
   * several where a reshape laid them out as one, the outermost first. Null after a reshape that takes an axis apart.
   */
  readonly axes: readonly (readonly number[])[] | null;
  readonly dequantisation: Dequantisation | null;
  /** Why the constant cannot be pruned although it is reached; null when it can. */
  readonly blocked: string | null;
}

/** Longest chain of operators between a tensor and its use. */
const maxChain = 16;

/** Follows values back to a constant through operators that move or rescale elements; each value is followed once. */
export class Tracer {
  readonly #scopes = new Scopes();
  readonly #traced = new Map<Graph, Map<string, Origin | null>>();

  /** Where the elements of `name` are stored; null when they are computed, or come from several tensors. */
  trace(graph: Graph, name: string, depth = 0): Origin | null {
    let known = this.#traced.get(graph);
    if (known === undefined) this.#traced.set(graph, (known = new Map<string, Origin | null>()));
    const cached = known.get(name);
    if (cached !== undefined) return cached;
    const origin = this.#follow(graph, name, depth);
    known.set(name, origin);
    return origin;
  }

  #follow(graph: Graph, name: string, depth: number): Origin | null {
    const definition = this.#scopes.resolve(graph, name);
    if (definition === null || definition.kind === "input" || depth > maxChain) return null;
    if (definition.kind === "constant") {
      const { constant } = definition;
      const shape = constant.sparse?.shape ?? constant.tensor.shape;
      return {
        constant,
        graph: definition.graph,
        via: [],
        shape,
        axes: range(0, shape.length).map((axis) => [axis]),
        dequantisation: null,
        blocked: null,
      };
    }
    const { node, graph: scope } = definition;
    const step = stepOf(node);
    if (step === undefined) return null;
    const sources: Origin[] = [];
    for (const input of node.op === "Concat" ? node.inputs : node.inputs.slice(0, 1)) {
      const source = this.trace(scope, input, depth + 1);
      if (source === null || source.constant !== (sources[0] ?? source).constant) return null;
      sources.push(source);
    }
    const first = sources[0];
    if (first === undefined || first.via.length >= maxChain) return null;
    if (first.blocked !== null) return first;
    const state: Step = { ...first };
    step(state, {
      node,
      sources,
      output: node.outputs.indexOf(name),
      constantOf: (index) => {
        const input = this.#scopes.resolve(scope, node.inputs[index] ?? "");
        return input?.kind === "constant" ? input.constant : null;
      },
    });
    return { ...first, ...state, via: [...first.via, node.op] };
  }
}

interface Step {
  shape: readonly number[];
  axes: Origin["axes"];
  dequantisation: Dequantisation | null;
  blocked: string | null;
}

/** A node between a weight and its use, and what its inputs stand for. */
interface StepContext {
  readonly node: Node;
  /** Origins of the inputs that carry the weight's elements. */
  readonly sources: readonly Origin[];
  /** Which output of the node is followed. */
  readonly output: number;
  readonly constantOf: (index: number) => Constant | null;
}

/** Operators between a weight and its node, applied to what is known of the weight. */
const steps: Readonly<Record<string, (state: Step, context: StepContext) => void>> = {
  Cast: () => undefined,
  Concat: (state, { node, sources }) => {
    const form = ({ axes, dequantisation, blocked }: Origin): unknown[] => [axes?.join(" "), dequantisation, blocked];
    const first = form(sources[0]!);
    if (!sources.every((source) => form(source).every((part, i) => part === first[i]))) {
      return void (state.blocked = "it is put together from parts that went different ways");
    }
    const axis = normalAxis(intAttribute(node, "axis", 0), state.shape.length);
    const length = sources.reduce((sum, source) => sum + (source.shape[axis] ?? 0), 0);
    state.shape = state.shape.map((dim, i) => (i === axis ? length : dim));
  },
  DequantizeLinear: (state, { node, sources, constantOf }) => {
    const scale = constantOf(1);
    const zeroPoint = constantOf(2);
    const { tensor, sparse } = sources[0]!.constant;
    const scales = scale === null ? 0 : elementCount(scale.tensor.shape);
    const points = zeroPoint === null ? 1 : elementCount(zeroPoint.tensor.shape);
    const [axis = 0] = state.axes?.[normalAxis(intAttribute(node, "axis", 1), state.shape.length)] ?? [];
    if (scale === null || !isReadable(scale)) state.blocked = "its DequantizeLinear has no constant scale";
    else if (scale.tensor.dtype !== "float" && scale.tensor.dtype !== "float16")
      state.blocked = `its quantisation scale is ${scale.tensor.dtype}`;
    else if ((node.inputs[2] ?? "") !== "" && (zeroPoint === null || !isReadable(zeroPoint)))
      state.blocked = "its DequantizeLinear has no constant zero point";
    else if (zeroPoint !== null && zeroPoint.tensor.dtype !== tensor.dtype)
      state.blocked = `its zero point is ${zeroPoint.tensor.dtype}`;
    else if (intAttribute(node, "block_size", 0) !== 0) state.blocked = "it is quantised in blocks";
    else if (state.dequantisation !== null) state.blocked = "it is dequantised twice";
    else if (sparse !== null) state.blocked = "it is quantised and stored sparsely";
    else if (points !== 1 && points !== scales) state.blocked = `it has ${scales} scales and ${points} zero points`;
    else if (scales !== 1 && scales !== tensor.shape[axis])
      state.blocked = `its ${scales} quantisation scales do not fit an axis of the stored tensor`;
    else state.dequantisation = { scale, zeroPoint, axis };
  },
  Flatten: (state, { node }) => {
    const rank = state.shape.length;
    const axis = intAttribute(node, "axis", 1);
    const at = normalAxis(axis, rank);
    reshape(state, [elementCount(state.shape.slice(0, at)), elementCount(state.shape.slice(at))]);
  },
  Identity: () => undefined,
  Reshape: (state, { node, constantOf }) => {
    const wanted = intsAttribute(node, "shape") ?? intsOf(constantOf(1));
    if (wanted === null) return void (state.blocked = "it is reshaped by something that is not constant");
    const target = wanted.map((dim, axis) => (dim === 0 ? (state.shape[axis] ?? 0) : dim));
    const open = target.indexOf(-1);
    if (open >= 0) target[open] = elementCount(state.shape) / -elementCount(target);
    reshape(state, target);
  },
  Slice: (state, { node, constantOf }) => {
    const list = (attribute: string, index: number): readonly number[] | null =>
      intsAttribute(node, attribute) ?? intsOf(constantOf(index));
    const starts = list("starts", 1);
    const ends = list("ends", 2);
    if (starts === null || ends === null) return void (state.blocked = "it is sliced at places that are not constant");
    const axes = list("axes", 3) ?? range(0, starts.length);
    const shape = [...state.shape];
    if (!axes.every((axis) => axis >= -shape.length && axis < shape.length)) {
      return void (state.blocked = "it is sliced along an axis that it does not have");
    }
    axes.forEach((given, i) => {
      const axis = normalAxis(given, shape.length);
      const dim = shape[axis] ?? 0;
      const inside = (at: number): number => Math.min(dim, Math.max(0, at < 0 ? at + dim : at));
      const stride = Math.abs(list("steps", 4)?.[i] ?? 1);
      shape[axis] = Math.ceil(Math.abs(inside(ends[i] ?? dim) - inside(starts[i] ?? 0)) / Math.max(1, stride));
    });
    state.shape = shape;
  },
  Split: (state, { node, output, constantOf }) => {
    const axis = normalAxis(intAttribute(node, "axis", 0), state.shape.length);
    const parts = intsAttribute(node, "split") ?? intsOf(constantOf(1));
    const even = Math.ceil((state.shape[axis] ?? 0) / Math.max(1, node.outputs.length));
    state.shape = state.shape.map((dim, i) => (i === axis ? (parts?.[output] ?? even) : dim));
  },
  Squeeze: (state, { node, constantOf }) => {
    const rank = state.shape.length;
    const given = intsAttribute(node, "axes") ?? intsOf(constantOf(1));
    const gone = new Set(given?.map((axis) => normalAxis(axis, rank)));
    reshape(
      state,
      state.shape.filter((dim, axis) => (given === null ? dim !== 1 : !gone.has(axis))),
    );
  },
  Transpose: (state, { node }) => {
    const { shape, axes } = state;
    const rank = shape.length;
    const permutation = intsAttribute(node, "perm") ?? range(0, rank).reverse();
    const valid =
      permutation.length === rank && new Set(permutation).size === rank && permutation.every((a) => a >= 0 && a < rank);
    if (!valid) return void (state.blocked = "its Transpose has a perm that does not fit");
    state.shape = permutation.map((axis) => shape[axis]!);
    state.axes = axes === null ? null : permutation.map((axis) => axes[axis]!);
  },
  Unsqueeze: (state, { node, constantOf }) => {
    const given = intsAttribute(node, "axes") ?? intsOf(constantOf(1));
    if (given === null) return void (state.blocked = "it is unsqueezed by something that is not constant");
    const rank = state.shape.length + given.length;
    if (rank > maxRank) return void (state.blocked = `it is given ${rank} axes`);
    const added = new Set(given.map((axis) => normalAxis(axis, rank)));
    const rest = [...state.shape];
    reshape(
      state,
      range(0, rank).map((axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1))),
    );
  },
};

/** What a node does to a weight that goes through it; undefined for operators that compute something new. */
function stepOf(node: Node): ((state: Step, context: StepContext) => void) | undefined {
  return node.domain === "" && Object.hasOwn(steps, node.op) ? steps[node.op] : undefined;
}

/** Whether a weight that goes through `node` is still that weight. */
export function passesWeights(node: Node): boolean {
  return stepOf(node) !== undefined;
}

/** Whether the elements of a constant can be read: they lie in the graph, or as raw bytes in a file. */
const isReadable = ({ inline, tensor, sparse }: Constant): boolean =>
  sparse === null && (inline !== null || (tensor.path !== "" && tensor.encoding === "raw"));

/** Gives the weight another shape; axes are followed as long as they stay whole, alone or laid out as one with others. */
function reshape(state: Step, target: readonly number[]): void {
  const { shape, axes } = state;
  if (target.length > maxRank) return void (state.blocked = `it is given ${target.length} axes`);
  if (elementCount(target) !== elementCount(shape)) {
    state.blocked = `it is reshaped to [${target.join(", ")}], which has another number of elements`;
    return;
  }
  state.shape = target;
  if (axes === null) return;
  const old = range(0, shape.length).filter((axis) => shape[axis] !== 1);
  const merged: (readonly number[])[] = [];
  for (const length of target) {
    const parts: number[] = [];
    let product = 1;
    while (product < length && old.length > 0) {
      parts.push(old.shift()!);
      product *= shape[parts.at(-1)!]!;
    }
    if (product !== length) return void (state.axes = null);
    merged.push(parts.flatMap((axis) => axes[axis]!));
  }
  state.axes = merged;
}

/** Elements of a small int64 constant; null when there is none. */
function intsOf(constant: Constant | null): number[] | null {
  if (constant?.inline == null || constant.tensor.dtype !== "int64") return null;
  const view = new DataView(constant.inline.buffer, constant.inline.byteOffset, constant.inline.byteLength);
  return range(0, elementCount(constant.tensor.shape)).map((i) => Number(view.getBigInt64(8 * i, true)));
}

function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
