/** Sums, means and extremes over axes. */
import type { DType } from "../../../../../protocol/model.js";
import type { Lowered } from "../../lowering/lowered.js";
import { frontAxis, type OpRule, type OpSite, type Shape } from "../rule.js";

const operators: Readonly<Record<string, string>> = {
  EuclideanNorm: "ReduceL2",
  Max: "ReduceMax",
  Mean: "ReduceMean",
  Min: "ReduceMin",
  Prod: "ReduceProd",
  Sum: "ReduceSum",
};

export const reduction: OpRule = {
  ops: Object.keys(operators),
  lower: (site) => {
    const { lowering, node, inputs } = site;
    const given = inputs[0]!;
    // The mean of whole numbers is none; the sum of truths counts them.
    const wanted = resultType(site);
    const x = site.dtypes[0] === wanted ? given : { ...given, value: lowering.cast(given.value, wanted) };
    return [reduced(site, operators[node.op]!, x)];
  },
  dtype: resultType,
};

/** Whether all or any elements are true: the least or largest of them as numbers. */
export const truth: OpRule = {
  ops: ["All", "Any"],
  lower: (site) => {
    const { lowering, node, inputs } = site;
    const numbers = { ...inputs[0]!, value: lowering.cast(inputs[0]!.value, "int32") };
    const result = reduced(site, node.op === "All" ? "ReduceMin" : "ReduceMax", numbers);
    return [{ ...result, value: lowering.cast(result.value, "bool") }];
  },
  dtype: () => "bool",
};

function resultType({ node, dtypes }: OpSite): DType {
  if (node.op === "Mean" || node.op === "EuclideanNorm") return "float";
  return dtypes[0] === "bool" ? "int32" : dtypes[0]!;
}

function reduced({ lowering, node, constant }: OpSite, op: string, x: Lowered): Lowered {
  const keep = node.bool("keep_dims", node.bool("keepdims"));
  const keepdims = keep ? 1 : 0;
  const given = constant(1);
  if (given.length === 0) return x;
  const { shape } = x;
  if (shape === null) return lowering.plain(lowering.op(op, [x.value, lowering.ints(given)], { keepdims }), null);
  const axes = given.map((axis) => frontAxis(axis, shape));
  const left = keep
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
  if (x.layout === "channels-first" && (keep || staysInOrder(shape, axes))) {
    const inValue = axes.map((axis) => lowering.axis(x, axis)).sort((a, b) => a - b);
    const value = lowering.op(op, [x.value, lowering.ints(inValue)], { keepdims });
    return keep ? lowering.first(value, left) : lowering.plain(value, left);
  }
  return lowering.plain(lowering.op(op, [lowering.lastValue(x), lowering.ints(axes)], { keepdims }), left);
}

/** Whether the axes that are left of a tensor with its channels second are in tfjs' order. */
function staysInOrder(shape: NonNullable<Shape>, axes: readonly number[]): boolean {
  const last = shape.length - 1;
  return axes.includes(last) || shape.every((_, axis) => axis === 0 || axis === last || axes.includes(axis));
}

/** Place of the first largest or smallest element. */
export const place: OpRule = {
  ops: ["ArgMax", "ArgMin"],
  lower: ({ lowering, node, inputs, constant }) => {
    const x = inputs[0]!;
    const axis = inputs.length > 1 ? constant(1)[0]! : 0;
    const value = lowering.op(node.op, [lowering.lastValue(x)], { axis, keepdims: 0 });
    const at = axis < 0 && x.shape !== null ? axis + x.shape.length : axis;
    return [lowering.plain(lowering.cast(value, "int32"), x.shape?.filter((_, i) => i !== at) ?? null)];
  },
  dtype: () => "int32",
};

export const cumulativeSum: OpRule = {
  ops: ["Cumsum"],
  lower: ({ lowering, node, inputs, constant }) => {
    const axis = lowering.literal("int32", [], [constant(1)[0]!]);
    const words = { exclusive: node.bool("exclusive") ? 1 : 0, reverse: node.bool("reverse") ? 1 : 0 };
    const value = lowering.op("CumSum", [lowering.lastValue(inputs[0]!), axis], words);
    return [lowering.plain(value, inputs[0]!.shape)];
  },
};
