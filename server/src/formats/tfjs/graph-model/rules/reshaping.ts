/** The same elements with other axes. */
import type { Lowered } from "../../lowering/lowered.js";
import { frontAxis, isWhole, longs, type OpRule, type Shape } from "../rule.js";

export const reshape: OpRule = {
  ops: ["Reshape"],
  lower: (site) => {
    const { lowering, inputs, known } = site;
    const x = inputs[0]!;
    const target = known(1)?.values;
    const value = flatValue(site.lowering, x);
    if (target === undefined)
      return [lowering.plain(lowering.op("Reshape", [value, longs(site, 1)], { allowzero: 1 }), null)];
    // One length that is not known follows from the others.
    const open = target.filter((dim) => dim === null || dim === -1).length;
    const shape = solved(target, x.shape);
    const words = { allowzero: target.includes(0) ? 1 : 0 };
    const wanted =
      open <= 1 && !(open === 1 && target.includes(0)) ? lowering.ints(target.map((dim) => dim ?? -1)) : longs(site, 1);
    return [lowering.plain(lowering.op("Reshape", [value, wanted], words), shape)];
  },
};

/** The elements of a tensor in tfjs' order, whatever the axes: channels first are that where there is one pixel. */
function flatValue(lowering: Parameters<OpRule["lower"]>[0]["lowering"], x: Lowered): string {
  const pixel = x.layout === "channels-first" && x.shape!.slice(1, -1).every((dim) => dim === 1);
  return pixel ? x.value : lowering.lastValue(x);
}

/** A target of Reshape with what follows from the number of elements, where that is known. */
function solved(target: readonly (number | null)[], from: Shape): Shape {
  const shape = target.map((dim) => (dim === -1 ? null : dim));
  if (from === null || !isWhole(from) || shape.filter((dim) => dim === null).length !== 1) return shape;
  const size = (dims: readonly (number | null)[]): number =>
    dims.reduce<number>((product, dim) => product * (dim ?? 1), 1);
  const rest = size(from) / size(shape);
  return Number.isInteger(rest) ? shape.map((dim) => dim ?? rest) : shape;
}

export const squeeze: OpRule = {
  ops: ["Squeeze"],
  lower: ({ lowering, node, inputs }) => {
    const x = inputs[0]!;
    const { shape } = x;
    const named = node.has("squeeze_dims") ? node.ints("squeeze_dims") : node.ints("axis");
    if (shape === null) {
      const axes = named.length === 0 ? [] : [lowering.ints(named)];
      return [lowering.plain(lowering.op("Squeeze", [x.value, ...axes]), null)];
    }
    const gone =
      named.length === 0
        ? [...shape.keys()].filter((axis) => shape[axis] === 1)
        : named.map((axis) => frontAxis(axis, shape));
    if (named.length === 0 && shape.includes(null))
      return [lowering.plain(lowering.op("Squeeze", [lowering.lastValue(x)]), null)];
    const left = shape.filter((_, axis) => !gone.includes(axis));
    // Without anything between batch and channels both orders are one.
    const inner = [...shape.keys()].slice(1, -1);
    const inOrder = x.layout === "plain" || inner.every((axis) => gone.includes(axis));
    const axes = inOrder ? gone.map((axis) => lowering.axis(x, axis)).sort((a, b) => a - b) : gone;
    const value = inOrder ? x.value : lowering.lastValue(x);
    return [lowering.plain(gone.length === 0 ? value : lowering.op("Squeeze", [value, lowering.ints(axes)]), left)];
  },
};

export const expandDims: OpRule = {
  ops: ["ExpandDims"],
  lower: ({ lowering, inputs, constant }) => {
    const x = inputs[0]!;
    const axis = constant(1)[0]!;
    const value = lowering.op("Unsqueeze", [lowering.lastValue(x), lowering.ints([axis])]);
    const shape = x.shape?.slice() ?? null;
    shape?.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
    return [lowering.plain(value, shape)];
  },
};

export const transpose: OpRule = {
  ops: ["Transpose"],
  lower: ({ lowering, inputs, constant }) => {
    const x = inputs[0]!;
    const perm = constant(1);
    const value = lowering.transposed(lowering.lastValue(x), perm);
    return [
      lowering.plain(
        value,
        perm.map((axis) => x.shape?.[axis] ?? null),
      ),
    ];
  },
};

export const broadcastTo: OpRule = {
  ops: ["BroadcastTo"],
  lower: (site) => {
    const { lowering, inputs, known } = site;
    const target = known(1)?.values ?? null;
    const value = lowering.op("Expand", [lowering.lastValue(inputs[0]!), longs(site, 1)]);
    return [lowering.plain(value, target)];
  },
};

export const tile: OpRule = {
  ops: ["Tile"],
  lower: (site) => {
    const { lowering, inputs, known } = site;
    const x = inputs[0]!;
    const times = known(1)?.values;
    const value = lowering.op("Tile", [lowering.lastValue(x), longs(site, 1)]);
    const shape = x.shape?.map((dim, axis) => {
      const count = times?.[axis] ?? null;
      return dim === null || count === null ? null : dim * count;
    });
    return [lowering.plain(value, shape ?? null)];
  },
};
