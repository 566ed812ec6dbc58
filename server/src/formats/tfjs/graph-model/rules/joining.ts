/** Tensors put together and taken apart along an axis. */
import type { Lowered } from "../../lowering/lowered.js";
import { frontAxis, type OpRule, type OpSite, type Shape, Unlowered } from "../rule.js";

export const concat: OpRule = {
  ops: ["ConcatV2"],
  lower: (site) => [concatenated(site, site.inputs.slice(0, -1), site.constant(site.inputs.length - 1)[0]!)],
};

/** The older form has its axis in front. */
export const oldConcat: OpRule = {
  ops: ["Concat"],
  lower: (site) => [concatenated(site, site.inputs.slice(1), site.constant(0)[0]!)],
  dtype: ({ dtypes }) => dtypes[1]!,
};

function concatenated({ lowering }: OpSite, parts: readonly Lowered[], axis: number): Lowered {
  if (parts.length === 1) return parts[0]!;
  const known = parts.find(({ shape }) => shape !== null)?.shape ?? null;
  const at = known === null ? axis : frontAxis(axis, known);
  const shape = known?.map((_, i) => {
    const dims = parts.map((part) => part.shape?.[i] ?? null);
    if (i !== at) return dims.find((dim) => dim !== null) ?? null;
    return dims.includes(null) ? null : (dims as number[]).reduce((sum, dim) => sum + dim, 0);
  });
  const first = parts.find(({ layout }) => layout === "channels-first");
  if (first !== undefined && parts.every((part) => part.shape?.length === first.shape!.length)) {
    const values = parts.map((part) => lowering.firstValue(part));
    return lowering.first(lowering.op("Concat", values, { axis: lowering.axis(first, at) }), shape!);
  }
  const values = parts.map((part) => lowering.lastValue(part));
  return lowering.plain(lowering.op("Concat", values, { axis: at }), shape ?? null);
}

export const pack: OpRule = {
  ops: ["Pack"],
  lower: ({ lowering, node, inputs }) => {
    const axis = node.int("axis", 0);
    const axes = lowering.ints([axis]);
    const values = inputs.map((input) => lowering.op("Unsqueeze", [lowering.lastValue(input), axes]));
    const shape = inputs.find((input) => input.shape !== null)?.shape?.slice() ?? null;
    shape?.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, inputs.length);
    return [lowering.plain(values.length === 1 ? values[0]! : lowering.op("Concat", values, { axis }), shape)];
  },
};

export const unpack: OpRule = {
  ops: ["Unpack"],
  lower: ({ lowering, node, inputs, outputs }) => {
    const x = inputs[0]!;
    const axis = node.int("axis", 0);
    const at = axis < 0 && x.shape !== null ? axis + x.shape.length : axis;
    const count = Math.max(outputs, node.int("num", x.shape?.[at] ?? outputs));
    const left = x.shape?.filter((_, i) => i !== at) ?? null;
    return Array.from({ length: Math.min(count, mostParts) }, (_, i) => {
      const index = lowering.literal("int64", [], [i]);
      return lowering.plain(lowering.op("Gather", [lowering.lastValue(x), index], { axis }), left);
    });
  },
};

/** Most parts that a tensor is taken apart into: a file may name any number. */
const mostParts = 4096;

export const split: OpRule = {
  ops: ["Split"],
  lower: (site) => {
    const { node, inputs, outputs } = site;
    const count = node.int("num_split", outputs);
    return parted(site, inputs[1]!, site.constant(0)[0]!, count, null);
  },
  dtype: ({ dtypes }) => dtypes[1]!,
};

export const splitBySizes: OpRule = {
  ops: ["SplitV"],
  lower: (site) => {
    const { inputs } = site;
    const x = inputs[0]!;
    const axis = site.constant(2)[0]!;
    const sizes = [...site.constant(1)];
    const open = sizes.indexOf(-1);
    if (open >= 0) {
      const length = x.shape === null ? null : x.shape[frontAxis(axis, x.shape)]!;
      if (length === null) throw new Unlowered("the length of one of its parts is not known");
      sizes[open] = length - sizes.reduce((sum, size) => sum + size, 1);
    }
    return parted(site, x, axis, sizes.length, sizes);
  },
};

function parted(
  { lowering }: OpSite,
  x: Lowered,
  axis: number,
  count: number,
  sizes: readonly number[] | null,
): readonly Lowered[] {
  if (!(count >= 1 && count <= mostParts)) throw new Unlowered(`it has ${count} parts`);
  const at = x.shape === null ? null : frontAxis(axis, x.shape);
  const length = at === null ? null : x.shape![at]!;
  const lengths = sizes ?? (length === null ? null : Array.from({ length: count }, () => length / count));
  const inValue = lowering.axis(x, axis);
  const values =
    lengths !== null
      ? lowering.ops("Split", [x.value, lowering.ints(lengths)], count, { axis: inValue })
      : lowering.ops("Split", [x.value], count, { axis: inValue, num_outputs: count });
  return values.map((value, i) => {
    const shape: Shape = x.shape?.map((dim, j) => (j === at ? (lengths?.[i] ?? null) : dim)) ?? null;
    return { value, layout: x.layout, shape };
  });
}
