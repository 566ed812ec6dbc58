/**
 * Element types of values as far as operators alone tell them: no shapes, and nothing runs. Most operators give out
 * what they take in first; the others are listed here.
 */
import type { DType } from "../../protocol/model.js";
import { type Graph, intAttribute, type Node, operatorLabel, subgraphsOf } from "./graph.js";
import { dtypeByCode, isFloat } from "./tensor.js";

/** The element type of each output: a type, the input that has it, or null where the model does not say. */
type Outputs = readonly (DType | number | null)[];

const all = (operators: readonly string[], outputs: Outputs): (readonly [string, Outputs])[] =>
  operators.map((operator) => [operator, outputs]);

/** Operators whose outputs do not have the type of input 0. */
const outputsOf: ReadonlyMap<string, Outputs> = new Map([
  ...all(["And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not"], ["bool"]),
  ...all(["Or", "StringConcat", "Xor"], ["bool"]),
  ...all(["ArgMax", "ArgMin", "NonMaxSuppression", "NonZero", "Shape", "Size"], ["int64"]),
  ...all(["ConvInteger", "MatMulInteger"], ["int32"]),
  ...all(["CastLike", "Where"], [1]),
  ...all(["OneHot"], [2]),
  ...all(["DequantizeLinear", "com.microsoft.DequantizeLinear"], [1]),
  ...all(["DynamicQuantizeLinear"], ["uint8", "float", "uint8"]),
  ...all(["MaxPool", "TopK"], [0, "int64"]),
  ...all(["Dropout"], [0, "bool"]),
  ...all(["Unique"], [0, "int64", "int64", "int64"]),
  ...all(["QLinearConv", "QLinearMatMul"], [7]),
]);

/** Operators whose attribute says the type, with the type where it is absent. */
const declaring: Readonly<Record<string, readonly [attribute: string, absent: DType | number]>> = {
  Bernoulli: ["dtype", 0],
  Cast: ["to", "other"],
  EyeLike: ["dtype", 0],
  Multinomial: ["dtype", "int32"],
  RandomNormal: ["dtype", "float"],
  RandomNormalLike: ["dtype", 0],
  RandomUniform: ["dtype", "float"],
  RandomUniformLike: ["dtype", 0],
};

/** Element types of the values of a main graph; those that are not known are absent. */
export function elementTypes(graph: Graph): Map<string, DType> {
  const types = new Map<string, DType>();
  const set = (value: string, dtype: DType | undefined): void => {
    if (value !== "" && dtype !== undefined && dtype !== "other") types.set(value, dtype);
  };
  for (const { name, dtype } of graph.inputs) set(name, dtype);
  for (const { name, tensor } of graph.constants.values()) set(name, tensor.dtype);
  for (const node of graph.nodes) {
    const found = typesOf(node, types);
    node.outputs.forEach((output, i) => {
      set(output, found(i));
    });
  }
  return types;
}

/** Element type of each output of a node. */
function typesOf(node: Node, types: ReadonlyMap<string, DType>): (output: number) => DType | undefined {
  const resolve = (one: DType | number | null | undefined): DType | undefined =>
    typeof one === "number" ? types.get(node.inputs[one] ?? "") : (one ?? undefined);
  const [inner] = subgraphsOf(node);
  // The outputs of a branch are those of its If; a loop's or a scan's are not worth following.
  if (inner !== undefined) return (i) => (node.op === "If" ? inner.outputs[i]?.dtype : undefined);
  const label = operatorLabel(node);
  if (label === "QuantizeLinear") {
    const quantised = dtypeByCode[intAttribute(node, "output_dtype", 0)] ?? resolve(2) ?? "uint8";
    return () => quantised;
  }
  if (label === "ConstantOfShape") {
    const value = node.attributes.get("value");
    const dtype = value?.kind === "tensor" ? value.value.tensor.dtype : "float";
    return () => dtype;
  }
  if (Object.hasOwn(declaring, label)) {
    const [attribute, absent] = declaring[label]!;
    const dtype = dtypeByCode[intAttribute(node, attribute, 0)] ?? resolve(absent);
    return () => dtype;
  }
  const listed = outputsOf.get(label);
  if (listed !== undefined) return (i) => resolve(listed[i]);
  if (node.domain === "") return () => resolve(0);
  // Fused operators take codes and indices first; any other that nobody here knows may give out anything.
  const real = node.inputs.map((input) => types.get(input)).find((dtype) => dtype !== undefined && isFloat(dtype));
  return () => (node.domain === "com.microsoft" ? (real ?? resolve(0)) : undefined);
}
