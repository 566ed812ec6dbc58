/** What TensorFlow fuses into a convolution or product of matrices: a bias or normalisation, then an activation. */
import { activate } from "../lowering/activations.js";
import type { Lowered } from "../lowering/lowered.js";
import { type OpSite, Unlowered } from "./rule.js";
import { normalised } from "./rules/normalization.js";

export interface Fused {
  /** `BiasAdd`, `FusedBatchNorm`, `Relu`, …, as the node lists them. */
  readonly ops: readonly string[];
  readonly bias: Lowered | null;
  /** Further arguments, behind the bias. */
  readonly args: readonly Lowered[];
}

/** What is fused into a node whose further arguments begin at input `from`. */
export function fusedOps({ node, inputs }: OpSite, from: number): Fused {
  const ops = node.texts("fused_ops");
  const args = inputs.slice(from);
  if (ops[0] !== "BiasAdd") return { ops, bias: null, args };
  if (args[0] === undefined) throw new Unlowered("it adds a bias that it is not given");
  return { ops, bias: args[0], args: args.slice(1) };
}

/** `x` after everything that is fused but the bias. */
export function activation({ lowering, node }: OpSite, x: Lowered, { ops, args }: Fused): Lowered {
  let result = x;
  let rest = args;
  for (const op of ops) {
    switch (op) {
      case "BiasAdd":
        break;
      case "FusedBatchNorm":
        result = normalised(lowering, result, rest, node.float("epsilon", 0.0001));
        rest = rest.slice(4);
        break;
      case "LeakyRelu":
        result = lowering.unary("LeakyRelu", result, { alpha: { float: node.float("leakyrelu_alpha", 0.2) } });
        break;
      case "Prelu":
        if (rest[0] === undefined) throw new Unlowered("its Prelu is given no slopes");
        result = lowering.elementwise("PRelu", [result, rest[0]]);
        rest = rest.slice(1);
        break;
      case "Elu":
      case "Relu":
      case "Relu6":
      case "Sigmoid":
      case "Tanh":
        result = activate(lowering, op, result);
        break;
      default:
        throw new Unlowered(`"${op}" is fused into it, which is not known`);
    }
  }
  return result;
}
