/** Tensors made of numbers and shapes. */
import type { Value } from "../../../../graph/builder.js";
import type { DType } from "../../../../../protocol/model.js";
import type { Lowering } from "../../lowering/lowering.js";
import { longs, type OpRule, type OpSite, Unlowered } from "../rule.js";
import { dtypeOf } from "../types.js";

/** A scalar of an element type. */
function number(lowering: Lowering, dtype: DType, value: number): Value {
  if (dtype === "float") return lowering.scalar(value);
  if (dtype !== "bool" && dtype !== "int32") throw new Unlowered(`its elements are ${dtype}`);
  return lowering.literal(dtype, [], [value]);
}

export const fill: OpRule = {
  ops: ["Fill"],
  lower: (site) => {
    const { lowering, inputs, known } = site;
    const value = lowering.op("Expand", [lowering.lastValue(inputs[1]!), longs(site, 0)]);
    return [lowering.plain(value, known(0)?.values ?? null)];
  },
  dtype: ({ dtypes }) => dtypes[1]!,
};

export const filledLike: OpRule = {
  ops: ["OnesLike", "ZerosLike"],
  lower: ({ lowering, node, inputs, dtypes }) => {
    const x = inputs[0]!;
    const one = number(lowering, dtypes[0]!, node.op === "OnesLike" ? 1 : 0);
    return [{ ...x, value: lowering.op("Expand", [one, lowering.op("Shape", [x.value])]) }];
  },
};

export const range: OpRule = {
  ops: ["Range"],
  lower: ({ lowering, inputs }) => {
    const values = inputs.map((input) => lowering.lastValue(input));
    return [lowering.plain(lowering.op("Range", values), [null])];
  },
};

export const linSpace: OpRule = {
  ops: ["LinSpace"],
  lower: ({ lowering, constant }) => {
    const [start, stop, count] = [constant(0)[0]!, constant(1)[0]!, constant(2)[0]!];
    if (!(count >= 1 && count <= mostNumbers)) throw new Unlowered(`it has ${count} elements`);
    const step = count === 1 ? 0 : (stop - start) / (count - 1);
    const values = Array.from({ length: count }, (_, i) => start + i * step);
    return [lowering.plain(lowering.literal("float", [count], values), [count])];
  },
  dtype: () => "float",
};

/** Most elements of a literal: a file may ask for any number. */
const mostNumbers = 1 << 20;

/** One axis more, behind the others, on which one element differs; indices that are too large or negative make none differ. */
export const oneHot: OpRule = {
  ops: ["OneHot"],
  lower: ({ lowering, node, inputs, constant }) => {
    if (node.int("axis", -1) !== -1) throw new Unlowered("its axis is not the last, which TensorFlow.js ignores");
    const depth = constant(1)[0]!;
    const indices = inputs[0]!;
    if (!(depth >= 1 && depth <= mostNumbers)) throw new Unlowered(`its depth is ${depth}`);
    const classes = lowering.literal("int32", [depth], [...Array(depth).keys()]);
    const column = lowering.op("Unsqueeze", [lowering.lastValue(indices), lowering.ints([-1])]);
    const hit = lowering.op("Equal", [column, classes]);
    const [on, off] = [lowering.lastValue(inputs[2]!), lowering.lastValue(inputs[3]!)];
    const shape = indices.shape === null ? null : [...indices.shape, depth];
    return [lowering.plain(lowering.op("Where", [hit, on, off]), shape)];
  },
  dtype: ({ dtypes }) => dtypes[2]!,
};

/** Lengths of axes, as whole numbers of TensorFlow. */
export const shape: OpRule = {
  ops: ["Shape", "ShapeN"],
  lower: ({ lowering, inputs }) =>
    inputs.map((input) => {
      const value = lowering.op("Shape", [lowering.lastValue(input)]);
      return lowering.plain(lowering.cast(value, "int32"), [input.shape?.length ?? null]);
    }),
  dtype: () => "int32",
};

export const size: OpRule = {
  ops: ["Size"],
  lower: ({ lowering, inputs }) => [
    lowering.plain(lowering.cast(lowering.op("Size", [lowering.lastValue(inputs[0]!)]), "int32"), []),
  ],
  dtype: () => "int32",
};

export const rank: OpRule = {
  ops: ["Rank"],
  lower: ({ lowering, inputs }: OpSite) => {
    const lengths = lowering.op("Shape", [lowering.lastValue(inputs[0]!)]);
    return [lowering.plain(lowering.cast(lowering.op("Size", [lengths]), "int32"), [])];
  },
  dtype: () => "int32",
};

export const filled: OpRule = {
  ops: ["Ones", "Zeros"],
  lower: (site) => {
    const { lowering, node, known } = site;
    const one = number(lowering, dtypeOf(node, "dtype"), node.op === "Ones" ? 1 : 0);
    return [lowering.plain(lowering.op("Expand", [one, longs(site, 0)]), known(0)?.values ?? null)];
  },
  dtype: ({ node }) => dtypeOf(node, "dtype"),
};
