/**
 * What is fixed once the inputs are bound, and what is known only when floating-point data has run through: a value
 * depends on data by its elements, and, where an operator makes a shape from elements, by its shape too.
 */
import { operatorLabel, subgraphsOf, type Graph, type Node } from "./graph.js";
import { isFloat } from "./tensor.js";
import { dependencies } from "./traversal.js";

/** Values that depend on data, each with the name of an input or value from which the dependence comes. */
export interface DataDependence {
  readonly elements: ReadonlyMap<string, string>;
  readonly shapes: ReadonlyMap<string, string>;
}

/** Inputs whose elements decide the shape of an output. */
const shaping: Readonly<Record<string, readonly number[]>> = {
  AffineGrid: [1],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Col2Im: [1, 2],
  Compress: [1],
  ConstantOfShape: [0],
  DFT: [1, 2],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1],
  NonMaxSuppression: [0, 1, 2, 3, 4],
  NonZero: [0],
  OneHot: [1],
  Pad: [1, 3],
  Range: [0, 1, 2],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceLogSum: [1],
  ReduceLogSumExp: [1],
  ReduceMax: [1],
  ReduceMean: [1],
  ReduceMin: [1],
  ReduceProd: [1],
  ReduceSum: [1],
  ReduceSumSquare: [1],
  Reshape: [1],
  Resize: [1, 2, 3],
  STFT: [1, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  SplitToSequence: [1],
  Squeeze: [1],
  StringSplit: [0],
  Tile: [1],
  TopK: [1],
  Unique: [0],
  Unsqueeze: [1],
  Upsample: [1],
};

/** Operators whose elements are another each time. */
const random = new Set([
  "Bernoulli",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

/**
 * Which values of a main graph depend on data.
 * @param data what counts as data: floating-point inputs, where inputs that are not floats (a sample rate, token ids) are
 * bound with the axes; or all inputs and the trained numbers, so that shapes alone are fixed.
 */
export function dataDependence(graph: Graph, data: "float-inputs" | "all-elements" = "float-inputs"): DataDependence {
  const elements = new Map<string, string>();
  const shapes = new Map<string, string>();
  const all = data === "all-elements";
  for (const { name, dtype } of graph.inputs) {
    if (all || isFloat(dtype) || dtype === "other") elements.set(name, name);
    if (dtype === "other") shapes.set(name, name);
  }
  if (all) for (const { name, tensor } of graph.constants.values()) if (isFloat(tensor.dtype)) elements.set(name, name);
  for (const node of graph.nodes) {
    const reads = [...dependencies(node)].filter((name) => name !== "");
    const first = (map: ReadonlyMap<string, string>, names: readonly string[]): string | undefined =>
      map.get(names.find((name) => map.has(name)) ?? "");
    const shape = first(shapes, reads) ?? first(elements, shapingInputs(node, reads));
    const byShape = node.domain === "" && (node.op === "Shape" || node.op === "Size");
    const element = shape ?? (byShape ? undefined : first(elements, reads));
    for (const output of node.outputs) {
      if (shape !== undefined) shapes.set(output, shape);
      if (element !== undefined) elements.set(output, element);
      else if (random.has(node.op)) elements.set(output, output);
    }
  }
  return { elements, shapes };
}

/** Of operators that nobody here knows, and of graphs inside nodes, every element may. */
function shapingInputs(node: Node, reads: readonly string[]): readonly string[] {
  if (node.domain !== "" || [...subgraphsOf(node)].length > 0) return reads;
  const indices = Object.hasOwn(shaping, node.op) ? shaping[node.op]! : [];
  return indices.map((index) => node.inputs[index] ?? "");
}

/**
 * What a value that does not depend on data is made from, in words: `input "sr"`, `shapes`. Empty where it is constant.
 */
export function groundsOf(graph: Graph, value: string): readonly string[] {
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producer.set(output, node);
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const grounds = new Set<string>();
  const seen = new Set<string>();
  const open = [value];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (inputs.has(name)) grounds.add(`input "${name}"`);
    const node = producer.get(name);
    if (node === undefined) continue;
    if (["Shape", "Size"].includes(operatorLabel(node))) grounds.add("shapes");
    else open.push(...dependencies(node));
  }
  return [...grounds].sort();
}
