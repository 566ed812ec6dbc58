/**
 * One layer of each kind that can hold an N:M pattern, with the axis that its groups run along, from ONNX's definitions of
 * the operators: not copied from the product's answers.
 */
import type { NodeProto } from "onnx-buf";
import type { DType } from "../../server/protocol/model.js";
import { model, node, type TestModel } from "../support/model-builder.js";
import { tensor, value } from "../support/model-tensors.js";

export interface PatternedLayer {
  readonly name: string;
  readonly shape: readonly number[];
  /** Reduction axis of the stored tensor. */
  readonly axis: number;
  readonly nodes: readonly NodeProto[];
  /** Shape of the input `x`. */
  readonly input: readonly number[];
}

export const patternedLayers: readonly PatternedLayer[] = [
  { name: "Conv", shape: [6, 8, 3, 3], axis: 1, nodes: [node("Conv", ["x", "w"], ["y"])], input: [1, 8, 5, 5] },
  {
    name: "grouped Conv",
    shape: [8, 8, 3, 1],
    axis: 1,
    nodes: [node("Conv", ["x", "w"], ["y"], { group: 2 })],
    input: [1, 16, 5, 5],
  },
  {
    name: "grouped ConvTranspose",
    shape: [16, 3, 2, 2],
    axis: 0,
    nodes: [node("ConvTranspose", ["x", "w"], ["y"], { group: 2 })],
    input: [1, 16, 4, 4],
  },
  { name: "Gemm", shape: [16, 5], axis: 0, nodes: [node("Gemm", ["x", "w"], ["y"])], input: [2, 16] },
  {
    name: "Gemm with transB",
    shape: [5, 16],
    axis: 1,
    nodes: [node("Gemm", ["x", "w"], ["y"], { transB: 1 })],
    input: [2, 16],
  },
  { name: "Gemm with constant A", shape: [5, 16], axis: 1, nodes: [node("Gemm", ["w", "x"], ["y"])], input: [16, 2] },
  {
    name: "Gemm with constant A and transA",
    shape: [16, 5],
    axis: 0,
    nodes: [node("Gemm", ["w", "x"], ["y"], { transA: 1 })],
    input: [16, 2],
  },
  {
    name: "batched MatMul",
    shape: [3, 16, 5],
    axis: 1,
    nodes: [node("MatMul", ["x", "w"], ["y"])],
    input: [3, 2, 16],
  },
  {
    name: "MatMul with the constant left",
    shape: [5, 16],
    axis: 1,
    nodes: [node("MatMul", ["w", "x"], ["y"])],
    input: [16, 2],
  },
  {
    name: "LSTM",
    shape: [2, 16, 8],
    axis: 2,
    nodes: [node("LSTM", ["x", "w", "r"], ["y"], { hidden_size: 4, direction: "bidirectional" })],
    input: [3, 1, 8],
  },
];

/** A model of the layer with these elements of its weight `w`. */
export function patternedModel(
  { shape, nodes, input }: PatternedLayer,
  values: readonly number[],
  dtype: DType = "float",
  storage: "raw" | "typed" = "raw",
): TestModel {
  // The LSTM's other weight, which no test asks for.
  const recurrent = nodes.some(({ opType }) => opType === "LSTM") ? [tensor("r", "float", [2, 16, 4], ones(128))] : [];
  return model({
    graph: {
      nodes,
      inputs: [value("x", dtype, input)],
      outputs: [value("y", dtype, null)],
      initializers: [tensor("w", dtype, shape, values, storage), ...recurrent],
    },
  });
}

const ones = (count: number): number[] => Array<number>(count).fill(1);
