/**
 * Which layers can hold an N:M pattern along their reduction axis, and for which of them a sparse kernel may be chosen
 * (Mishra et al. 2021, arXiv 2104.08378, section 3; cuSPARSELt's types; ASP's rule of sizes). A kernel that may be
 * chosen is not a faster one: runtimes time both.
 */
import type { DType } from "../../../protocol/model.js";
import type { NofM } from "../../../protocol/recipe.js";
import type { Eligibility, PatternUse } from "../../../protocol/sparsity.js";
import { operatorLabel } from "../../graph/graph.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { type GroupLayout, groupLayout } from "./layout.js";

/** A layer and a pattern: where its groups lie, or null where it cannot hold the pattern. */
export interface PatternFit extends Eligibility {
  readonly layout: GroupLayout | null;
}

/** Element types whose 2:4 kernels exist, and those that need 1:2. */
const halved: ReadonlySet<DType> = new Set(["float16", "bfloat16", "int8", "float8e4m3fn", "float8e5m2"]);
const single: ReadonlySet<DType> = new Set(["float"]);

/** ASP prunes layers whose outputs are a multiple of 8 and whose inputs are one of 16. */
const outputMultiple = 8;
const inputMultiple = 16;

/** How `weight` stands to `pattern`. */
export function patternFit(weight: PrunableWeight, { n, m }: NofM): PatternFit {
  const { roles, shape, sparse } = weight;
  const none = (reason: string): PatternFit => ({ use: "none", reason, layout: null });
  if (sparse) return none("the file stores only some of its elements");
  if (weight.disagreement !== null) return none(weight.disagreement);
  const depthwise = "it is depthwise: each output has one input channel";
  const [axis, ...others] = roles.in;
  if (axis === undefined && roles.groups > 1 && roles.out.length > 0) return none(depthwise);
  if (axis === undefined || others.length > 0)
    return none("its reduction axis cannot be followed to the stored tensor");
  const length = shape[axis]!;
  const perGroup = isTransposed(weight) ? length / roles.groups : length;
  if (roles.groups > 1 && perGroup === 1) return none(depthwise);
  if (perGroup % m !== 0)
    return none(
      `${roles.groups > 1 ? "a group of its inputs" : "its reduction axis"} has ${perGroup} elements, which ${m} does not divide`,
    );
  const layout = groupLayout(shape, axis, m);
  const fits = (use: PatternUse, reason: string): PatternFit => ({ use, reason, layout });
  const label = `${n}:${m}`;
  const op = operatorLabel(weight.uses[0]!.node);
  if (isTransposed(weight)) return fits("pattern-only", "no sparse kernel is known for transposed convolutions");
  if (/^(?:GRU|LSTM|RNN)$/.test(op)) return fits("pattern-only", "no sparse kernel is known for recurrent layers");
  const { dtype } = weight.tensor;
  const right = (label === "2:4" && halved.has(dtype)) || (label === "1:2" && single.has(dtype));
  if (!right) {
    if (label === "2:4" && single.has(dtype))
      return fits(
        "pattern-only",
        "sparse kernels take 2:4 of 16 and 8 bits: convert the model to float16, or let TensorRT do it",
      );
    return fits("pattern-only", `no sparse kernel is known for ${label} of ${dtype}`);
  }
  if (dtype === "int8" && weight.dequantisation === null) return fits("pattern-only", "its integers have no scale");
  const outputs = roles.out.reduce((product, one) => product * shape[one]!, 1) / roles.groups;
  if (outputs % outputMultiple !== 0 || perGroup % inputMultiple !== 0)
    return fits(
      "pattern-only",
      `sparse kernels take outputs in multiples of ${outputMultiple} and inputs of ${inputMultiple}; it has ${outputs} and ${perGroup}`,
    );
  return fits("kernel", "a sparse kernel may be chosen for it");
}

/** A transposed convolution stores the inputs of all groups along its reduction axis; the others those of one. */
const isTransposed = ({ uses }: PrunableWeight): boolean => operatorLabel(uses[0]!.node) === "ConvTranspose";
