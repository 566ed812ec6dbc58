/** Products of matrices, alone and with what TensorFlow fuses into them. */
import type { Lowered } from "../../lowering/lowered.js";
import { activation, fusedOps } from "../fused.js";
import { type OpRule, type OpSite, ranked, type Shape, Unlowered } from "../rule.js";

/** A product of two matrices is Gemm where it has a bias or a transposed side, as converters from PyTorch have it. */
export const matMul: OpRule = {
  ops: ["MatMul", "_FusedMatMul"],
  lower: (site) => {
    const { lowering, node, inputs, dtypes, takeBias } = site;
    if (dtypes[0] !== "float" || (inputs[0]!.shape?.length ?? 2) !== 2) return [product(site, turned(node))];
    const [a, b] = [ranked(inputs[0]!, 2), ranked(inputs[1]!, 2)];
    const [transA, transB] = turned(node);
    const columns = b.shape[transB ? 0 : 1]!;
    const fused = fusedOps(site, 2);
    const bias = fused.bias ?? (fused.ops.length > 0 ? null : takeBias(columns));
    const values = [a, b, ...(bias === null ? [] : [bias])].map((input) => lowering.lastValue(input));
    const value =
      bias === null && !transA && !transB
        ? lowering.op("MatMul", values)
        : lowering.op("Gemm", values, { transA: transA ? 1 : 0, transB: transB ? 1 : 0 });
    return [activation(site, lowering.plain(value, [a.shape[transA ? 1 : 0]!, columns]), fused)];
  },
};

export const batchMatMul: OpRule = {
  ops: ["BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"],
  lower: (site) => [product(site, [site.node.bool("adj_x"), site.node.bool("adj_y")])],
};

const turned = (node: OpSite["node"]): readonly [boolean, boolean] => [
  node.bool("transpose_a"),
  node.bool("transpose_b"),
];

/** Products over the last two axes, those before them broadcast. */
function product(site: OpSite, turns: readonly boolean[]): Lowered {
  const { lowering, node, inputs } = site;
  if (node.texts("fused_ops").length > 0) throw new Unlowered("it is fused, and its tensors have more than two axes");
  const sides = inputs.slice(0, 2).map((input, i) => {
    const value = lowering.lastValue(input);
    const { shape } = input;
    if (turns[i] !== true) return { value, shape };
    if (shape === null)
      return { value: lowering.op("Einsum", [value], { equation: "...ij->...ji" }), shape: null as Shape };
    const perm = [...shape.keys()];
    perm.push(...perm.splice(-2).reverse());
    return { value: lowering.transposed(value, perm), shape: perm.map((axis) => shape[axis]!) };
  });
  const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const rank = a.shape === null || b.shape === null ? null : Math.max(a.shape.length, b.shape.length);
  const batch = (rank === null ? [] : Array.from({ length: rank - 2 }, (_, i) => i)).map((axis) => {
    const dims = [a, b].map(({ shape }) => shape!.at(axis - rank!) ?? (shape!.length < rank! - axis ? 1 : null));
    return dims.find((dim) => dim !== 1 && dim !== null) ?? (dims.includes(null) ? null : 1);
  });
  const shape = rank === null ? null : [...batch, a.shape!.at(-2)!, b.shape!.at(-1)!];
  return lowering.plain(lowering.op("MatMul", [a.value, b.value]), shape);
}
