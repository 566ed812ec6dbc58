/**
 * Constants that a graph only moves before it uses them, by Transpose, Reshape, Slice, Concat and the like: the moving is
 * taken out of the graph and done once, on the elements. A kernel that is stored in another framework's order of axes so
 * becomes the initializer that ONNX' own operator wants.
 */
import { type Constant, type Graph, intAttribute, intsAttribute, type Node, subgraphsOf } from "./graph.js";
import { literalValues } from "./literal.js";
import { elementsMoved, type Elements } from "./moved-elements.js";
import { elementCount, maxRank } from "./tensor.js";
import { dependencies } from "./traversal.js";

/** A graph whose constants lie as its nodes want them. */
export interface MovedGraph {
  readonly graph: Graph;
  /** How constants of the graph come from stored ones whose elements lie otherwise. */
  readonly moves: ReadonlyMap<Constant, Move>;
}

export interface Move {
  /** As it is stored. */
  readonly from: Constant;
  /** Its elements as the graph wants them, from those that are stored. */
  readonly elements: (stored: Elements) => Elements;
}

/** A value that is one stored tensor with its elements in another order, or is made of literals alone. */
interface Moved {
  /** What is stored; null for literals. */
  readonly constant: Constant | null;
  readonly dtype: Constant["tensor"]["dtype"];
  readonly shape: readonly number[];
  /** @param stored elements of `constant`; not looked at where there is none. */
  readonly elements: (stored: Elements | null) => Elements;
}

/**
 * Takes out of the main graph every node that only moves elements of one stored constant, where all uses of the constant
 * want the same. What is used in two ways (a tied weight) stays as it is stored, with its nodes, and stays one constant.
 */
export function withMovedConstants(graph: Graph): MovedGraph {
  const moved = movedValues(graph);
  const captured = new Set(
    graph.nodes.flatMap((node) => ([...subgraphsOf(node)].length > 0 ? [...dependencies(node)] : [])),
  );
  const passes = new Set(graph.nodes.filter((node) => node.outputs.some((name) => moved.has(name))));
  // What is needed in the end, by what it is made of.
  const wanted = new Map<Constant, Set<string>>();
  const literals = new Set<string>();
  const need = (name: string): void => {
    const value = moved.get(name);
    if (value === undefined) return;
    if (value.constant === null) literals.add(name);
    else wanted.set(value.constant, (wanted.get(value.constant) ?? new Set()).add(name));
  };
  for (const node of graph.nodes) if (!passes.has(node)) for (const name of dependencies(node)) need(name);
  for (const { name } of graph.outputs) need(name);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const renamed = new Map<string, string>();
  const constants = new Map(graph.constants);
  const moves = new Map<Constant, Move>();
  for (const [constant, names] of wanted) {
    const [name, ...others] = names;
    if (name === undefined || others.length > 0 || name === constant.name) continue;
    if (captured.has(name) || outputs.has(name)) continue;
    const { shape, elements } = moved.get(name)!;
    // Of a matrix all elements stay: it may be a weight, which is known by its name and counted by its size.
    if (constant.tensor.shape.length > 1 && elementCount(shape) !== elementCount(constant.tensor.shape)) continue;
    renamed.set(name, constant.name);
    const made: Constant = { ...constant, tensor: { ...constant.tensor, shape }, inline: null };
    constants.set(constant.name, made);
    moves.set(made, { from: constant, elements });
  }
  for (const name of literals) {
    const value = moved.get(name)!;
    if (graph.constants.has(name) || outputs.has(name)) continue;
    const { buffer, byteOffset, byteLength } = value.elements(null);
    constants.set(name, {
      name,
      tensor: { path: "", offset: 0, length: byteLength, dtype: value.dtype, shape: value.shape, encoding: "raw" },
      inline: new Uint8Array(buffer, byteOffset, byteLength),
      origin: "initializer",
      sparse: null,
    });
  }
  const nodes = graph.nodes.map((node) =>
    node.inputs.some((name) => renamed.has(name))
      ? { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }
      : node,
  );
  return { graph: withoutUnused({ ...graph, constants, nodes }), moves };
}

/** Without nodes that nothing reads and without the constants of those; a value that is a constant now needs no node. */
function withoutUnused(graph: Graph): Graph {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => used.has(name) && !graph.constants.has(name))) continue;
    nodes.push(node);
    for (const name of dependencies(node)) used.add(name);
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    constants: new Map([...graph.constants].filter(([name]) => used.has(name))),
  };
}

/** Every value of the main graph that is a constant, or one that was moved. */
function movedValues(graph: Graph): Map<string, Moved> {
  const found = new Map<string, Moved>();
  for (const [name, constant] of graph.constants) {
    const { tensor, inline, sparse } = constant;
    if (sparse !== null) continue;
    if (tensor.path === "") {
      const literal = inline === null ? null : elementsMoved.of(tensor.dtype, inline);
      if (literal !== null)
        found.set(name, { constant: null, dtype: tensor.dtype, shape: tensor.shape, elements: () => literal });
    } else found.set(name, { constant, dtype: tensor.dtype, shape: tensor.shape, elements: (stored) => stored! });
  }
  for (const node of graph.nodes) {
    if (node.domain !== "" || !Object.hasOwn(movers, node.op)) continue;
    const ints = (index: number, attribute: string): readonly number[] | null => {
      const constant = graph.constants.get(node.inputs[index] ?? "");
      return intsAttribute(node, attribute) ?? (constant === undefined ? null : literalValues(constant));
    };
    const data = node.op === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    const sources = data.flatMap((name) => found.get(name) ?? []);
    const stored = new Set(sources.flatMap(({ constant }) => constant ?? []));
    if (sources.length < data.length || stored.size > 1 || sources.length === 0) continue;
    if (sources.some(({ dtype }) => dtype !== sources[0]!.dtype)) continue;
    const constant = [...stored][0] ?? null;
    const made = movers[node.op]!({ node, sources, ints });
    made?.forEach((value, i) => {
      const name = node.outputs[i] ?? "";
      if (name !== "") found.set(name, { ...value, constant, dtype: sources[0]!.dtype });
    });
  }
  return found;
}

interface MoverContext {
  readonly node: Node;
  /** Values whose elements it moves. */
  readonly sources: readonly Moved[];
  /** A list of integers: an attribute of older operator sets, else input `index`; null where it is absent or computed. */
  readonly ints: (index: number, attribute: string) => readonly number[] | null;
}

type Result = Pick<Moved, "elements" | "shape">;
/** @returns its outputs in order; null where they are not known. */
type Mover = (context: MoverContext) => readonly Result[] | null;

const reshaped =
  (shapeOf: (shape: readonly number[], context: MoverContext) => readonly number[] | null): Mover =>
  (context) => {
    const { shape, elements } = context.sources[0]!;
    const target = shapeOf(shape, context);
    if (target === null || target.length > maxRank || elementCount(target) !== elementCount(shape)) return null;
    return [{ shape: target, elements }];
  };

const normal = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const movers: Readonly<Record<string, Mover>> = {
  Concat: ({ node, sources }) => {
    const shapes = sources.map(({ shape }) => shape);
    const axis = normal(intAttribute(node, "axis", 0), shapes[0]!.length);
    const shape = shapes[0]!.map((dim, i) =>
      i === axis ? shapes.reduce((sum, one) => sum + (one[axis] ?? 0), 0) : dim,
    );
    return [
      {
        shape,
        elements: (stored) =>
          elementsMoved.joined(
            sources.map((source) => ({ elements: source.elements(stored), shape: source.shape })),
            axis,
          ),
      },
    ];
  },
  Flatten: reshaped((shape, { node }) => {
    const at = normal(intAttribute(node, "axis", 1), shape.length);
    return [elementCount(shape.slice(0, at)), elementCount(shape.slice(at))];
  }),
  Identity: reshaped((shape) => shape),
  Reshape: reshaped((shape, { node, ints }) => {
    const wanted = ints(1, "shape");
    if (wanted === null) return null;
    const kept = intAttribute(node, "allowzero", 0) === 0;
    const target = wanted.map((dim, axis) => (dim === 0 && kept ? (shape[axis] ?? 0) : dim));
    const open = target.indexOf(-1);
    if (open >= 0) target[open] = elementCount(shape) / -elementCount(target);
    return target;
  }),
  Slice: ({ sources, ints }) => {
    const { shape, elements } = sources[0]!;
    const [starts, ends] = [ints(1, "starts"), ints(2, "ends")];
    if (starts === null || ends === null) return null;
    const axes = ints(3, "axes") ?? starts.map((_, i) => i);
    const steps = ints(4, "steps") ?? starts.map(() => 1);
    const ranges = shape.map((dim) => ({ start: 0, step: 1, count: dim }));
    for (const [i, given] of axes.entries()) {
      const axis = normal(given, shape.length);
      const [dim, step] = [shape[axis], steps[i]!];
      if (dim === undefined || step === 0) return null;
      const inside = (at: number, least: number, most: number): number =>
        Math.min(most, Math.max(least, at < 0 ? at + dim : at));
      const start = step > 0 ? inside(starts[i]!, 0, dim) : inside(starts[i]!, 0, dim - 1);
      const end = step > 0 ? inside(ends[i]!, 0, dim) : inside(ends[i]!, -1, dim - 1);
      ranges[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
    }
    return [
      {
        shape: ranges.map(({ count }) => count),
        elements: (stored) => elementsMoved.sliced(elements(stored), shape, ranges),
      },
    ];
  },
  Split: ({ node, sources, ints }) => {
    const { shape, elements } = sources[0]!;
    const axis = normal(intAttribute(node, "axis", 0), shape.length);
    const dim = shape[axis] ?? 0;
    const even = Math.ceil(dim / Math.max(1, node.outputs.length));
    let at = 0;
    return node.outputs.map((_, i) => {
      const start = at;
      const count = ints(1, "split")?.[i] ?? Math.min(even, dim - start);
      at += count;
      const ranges = shape.map((length, a) =>
        a === axis ? { start, step: 1, count } : { start: 0, step: 1, count: length },
      );
      return {
        shape: ranges.map((range) => range.count),
        elements: (stored) => elementsMoved.sliced(elements(stored), shape, ranges),
      };
    });
  },
  Squeeze: reshaped((shape, { node, ints }) => {
    const given = ints(1, "axes");
    if (given === null && (node.inputs[1] ?? "") !== "") return null;
    const gone = new Set(given?.map((axis) => normal(axis, shape.length)));
    return shape.filter((dim, axis) => (given === null ? dim !== 1 : !gone.has(axis)));
  }),
  Transpose: ({ node, sources }) => {
    const { shape, elements } = sources[0]!;
    const perm = intsAttribute(node, "perm") ?? shape.map((_, i) => shape.length - 1 - i);
    const valid =
      perm.length === shape.length &&
      new Set(perm).size === perm.length &&
      perm.every((axis) => shape[axis] !== undefined);
    if (!valid) return null;
    return [
      {
        shape: perm.map((axis) => shape[axis]!),
        elements: (stored) => elementsMoved.transposed(elements(stored), shape, perm),
      },
    ];
  },
  Unsqueeze: reshaped((shape, { ints }) => {
    const given = ints(1, "axes");
    if (given === null) return null;
    const rank = shape.length + given.length;
    const added = new Set(given.map((axis) => normal(axis, rank)));
    const rest = [...shape];
    return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1)));
  }),
};
