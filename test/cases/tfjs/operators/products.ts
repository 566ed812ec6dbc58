/** Cases of products of matrices. */
import { floats, node, type TensorValues, weight } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const bias = weight("b", [4], floats([4], 3).data);
const w = weight("w", [3, 4], floats([12], 2).data);

const einsum = (equation: string, inputs: TensorValues): TfjsCase =>
  nodeCase("Einsum", equation, inputs, [], { equation, N: 2 });

export const products: readonly TfjsCase[] = [
  nodeCase("MatMul", "plain", { x: floats([2, 3]) }, [w]),
  nodeCase("MatMul", "transposed on the right", { x: floats([2, 3]) }, [weight("w", [4, 3], floats([12], 2).data)], {
    transpose_b: true,
  }),
  nodeCase("MatMul", "transposed on the left", { x: floats([3, 2]) }, [w], { transpose_a: true }),
  ...["Add", "BiasAdd"].map((op) =>
    graphCase(
      "MatMul",
      `with ${op} behind it`,
      { x: floats([2, 3]) },
      {
        inputs: placeholders({ x: floats([2, 3]) }),
        weights: [w, bias],
        nodes: [
          node("MatMul", "product", ["x", "w"]),
          node(op, "y", op === "Add" ? ["b", "product"] : ["product", "b"]),
        ],
        outputs: ["y"],
      },
    ),
  ),
  nodeCase("_FusedMatMul", "bias", { x: floats([2, 3]) }, [w, bias], { fused_ops: ["BiasAdd"], num_args: 1 }),
  nodeCase("_FusedMatMul", "bias and Relu", { x: floats([2, 3]) }, [w, bias], {
    fused_ops: ["BiasAdd", "Relu"],
    num_args: 1,
  }),
  nodeCase("_FusedMatMul", "bias and Prelu", { x: floats([2, 3]) }, [w, bias, weight("s", [4], [0.1, 0.2, 0.3, 0.4])], {
    fused_ops: ["BiasAdd", "Prelu"],
    num_args: 2,
  }),
  nodeCase("_FusedMatMul", "bias and LeakyRelu", { x: floats([2, 3]) }, [w, bias], {
    fused_ops: ["BiasAdd", "LeakyRelu"],
    leakyrelu_alpha: 0.3,
    num_args: 1,
  }),
  nodeCase("BatchMatMul", "of two batches", { a: floats([2, 3, 4]), b: floats([2, 4, 5], 2) }, []),
  nodeCase("BatchMatMulV2", "turned and broadcast", { a: floats([2, 1, 4, 3]), b: floats([5, 4], 2) }, [], {
    adj_x: true,
    adj_y: true,
  }),
  einsum("abf,fe->abe", { a: floats([2, 3, 4]), b: floats([4, 5], 2) }),
  einsum("abc,cde->abde", { a: floats([2, 3, 4]), b: floats([4, 2, 3], 2) }),
  einsum("abde,dec->abc", { a: floats([2, 3, 2, 4]), b: floats([2, 4, 3], 2) }),
  einsum("aecd,abcd->acbe", { a: floats([2, 3, 2, 4]), b: floats([2, 5, 2, 4], 2) }),
  einsum("acbe,aecd->abcd", { a: floats([2, 3, 4, 5]), b: floats([2, 5, 3, 4], 2) }),
  einsum("ab,ab->a", { a: floats([2, 3]), b: floats([2, 3], 2) }),
];
