/** A graph model that is read and written in no time: two square matrices, one behind the other. */
import type { TfjsModel } from "./folder.js";
import { graphModel, node, placeholder } from "./graph-model.js";
import { weight } from "./weights.js";

export function twoProducts(width: number): TfjsModel {
  const matrix = (name: string, factor: number) =>
    weight(
      name,
      [width, width],
      Float32Array.from({ length: width * width }, (_, i) => factor * Math.sin(i + 1)),
    );
  const product = { transpose_a: false, transpose_b: false };
  return graphModel({
    inputs: [placeholder("x", [1, width])],
    weights: [matrix("a", 1), matrix("b", 2)],
    nodes: [node("MatMul", "h", ["x", "a"], product), node("MatMul", "y", ["h", "b"], product)],
    outputs: ["y"],
  });
}
