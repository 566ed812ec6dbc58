/** The form of a weighted layer, from its weight's axes and its node: what fan-in follows from. */
import { intsAttribute } from "../../graph/graph.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { fanIns, type LayerForm } from "../fan-in.js";

const lengths = (shape: readonly number[], axes: readonly number[]): readonly number[] =>
  axes.map((axis) => shape[axis]!);
const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Null where the axes of the stored tensor are not known (a reshape mixed them, or nobody knows the operator). */
export function layerFormOf({ shape, roles, uses }: PrunableWeight): LayerForm | null {
  const { node } = uses[0]!;
  // An axis of one input may be missing in the stored tensor (depthwise kernels without it).
  if (roles.in.length === 0 && roles.out.length === 0) return null;
  const inputs = product(lengths(shape, roles.in));
  const kernel = lengths(shape, roles.spatial);
  switch (node.op) {
    case "Conv":
    case "FusedConv":
      return { form: "conv", channels: inputs * roles.groups, group: roles.groups, kernel };
    case "ConvTranspose": {
      const strides = intsAttribute(node, "strides") ?? kernel.map(() => 1);
      return { form: "conv-transpose", channels: inputs, group: roles.groups, kernel, strides };
    }
    case "LSTM":
    case "GRU":
    case "RNN":
      // Of one tensor the other path's length is not asked.
      return { form: "recurrent", inputs, hidden: inputs };
    default:
      return { form: "dense", inputs };
  }
}

/** Inputs of one sum; null where the form is not known. */
export const fanInOf = (form: LayerForm | null): number | null => (form === null ? null : fanIns(form)[0]!.fanIn);
