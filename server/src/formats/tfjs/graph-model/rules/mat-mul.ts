/** Products of matrices. */
import type { OpRule } from "../rule.js";

export const matMul: OpRule = {
  ops: ["MatMul"],
  lower: ({ lowering, node, inputs }) => {
    const [a, b] = inputs.map((input) => lowering.lastValue(input));
    const value = lowering.op("Gemm", [a!, b!], {
      transA: node.bool("transpose_a") ? 1 : 0,
      transB: node.bool("transpose_b") ? 1 : 0,
    });
    return [lowering.plain(value, [null, null])];
  },
};
