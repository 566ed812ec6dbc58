/** Elements picked by their places, and put at places. */
import type { Lowered } from "../../lowering/lowered.js";
import { frontAxis, isWhole, longs, type OpRule, type OpSite, type Shape, Unlowered } from "../rule.js";

export const gather: OpRule = {
  ops: ["Gather", "GatherV2"],
  lower: ({ lowering, node, inputs, constant }) => {
    const [x, indices] = inputs as [Lowered, Lowered];
    const axis = node.op === "GatherV2" && inputs.length > 2 ? constant(2)[0]! : 0;
    const batch = node.int("batch_dims", 0);
    const values = [lowering.lastValue(x), lowering.lastValue(indices)] as const;
    if (batch !== 0) {
      const rank = indices.shape?.length;
      if (batch < 0 || batch !== axis || rank === undefined)
        throw new Unlowered(`its batch_dims are ${batch} and its axis is ${axis}`);
      const places = lowering.op("Unsqueeze", [lowering.cast(values[1], "int64"), lowering.ints([-1])]);
      const value = lowering.op("GatherND", [values[0], places], { batch_dims: batch });
      return [lowering.plain(value, x.shape === null ? null : [...indices.shape!, ...x.shape.slice(batch + 1)])];
    }
    const at = x.shape === null ? null : frontAxis(axis, x.shape);
    const shape: Shape =
      at === null || indices.shape === null
        ? null
        : [...x.shape!.slice(0, at), ...indices.shape, ...x.shape!.slice(at + 1)];
    return [lowering.plain(lowering.op("Gather", values, { axis }), shape)];
  },
};

export const gatherNd: OpRule = {
  ops: ["GatherNd"],
  lower: ({ lowering, inputs }) => {
    const [x, indices] = inputs as [Lowered, Lowered];
    const places = lowering.cast(lowering.lastValue(indices), "int64");
    const deep = indices.shape?.at(-1) ?? null;
    const shape = deep === null || x.shape === null ? null : [...indices.shape!.slice(0, -1), ...x.shape.slice(deep)];
    return [lowering.plain(lowering.op("GatherND", [lowering.lastValue(x), places]), shape)];
  },
};

/** What is put at one place twice is summed. */
export const scatterNd: OpRule = {
  ops: ["ScatterNd"],
  lower: (site) => {
    const { lowering, inputs, dtypes, known } = site;
    const zero = lowering.literal(dtypes[1] === "float" ? "float" : "int32", [], [0]);
    const zeros = lowering.op("Expand", [zero, longs(site, 2)]);
    return [scattered(site, zeros, inputs[0]!, inputs[1]!, known(2)?.values ?? null, "add")];
  },
  dtype: ({ dtypes }) => dtypes[1]!,
};

export const tensorScatterUpdate: OpRule = {
  ops: ["TensorScatterUpdate"],
  lower: (site) => {
    const [x, indices, updates] = site.inputs as [Lowered, Lowered, Lowered];
    return [scattered(site, site.lowering.lastValue(x), indices, updates, x.shape, "none")];
  },
};

function scattered(
  { lowering }: OpSite,
  data: string,
  indices: Lowered,
  updates: Lowered,
  shape: Shape,
  reduction: string,
): Lowered {
  const places = lowering.cast(lowering.lastValue(indices), "int64");
  return lowering.plain(lowering.op("ScatterND", [data, places, lowering.lastValue(updates)], { reduction }), shape);
}

/** The largest elements along the last axis, and their places. */
export const topK: OpRule = {
  ops: ["TopKV2"],
  lower: (site) => {
    const { lowering, node, inputs, known } = site;
    const x = inputs[0]!;
    const k = known(1)?.values ?? [null];
    const count = isWhole(k)
      ? lowering.ints(k.slice(0, 1))
      : lowering.op("Reshape", [longs(site, 1), lowering.ints([1])]);
    const words = { axis: -1, largest: 1, sorted: node.bool("sorted", true) ? 1 : 0 };
    const [values, places] = lowering.ops("TopK", [lowering.lastValue(x), count], 2, words);
    const shape = x.shape === null ? null : [...x.shape.slice(0, -1), k[0]!];
    return [lowering.plain(values!, shape), lowering.plain(lowering.cast(places!, "int32"), shape)];
  },
  dtype: ({ dtypes }) => [dtypes[0]!, "int32"],
};

/** Places of elements that are true, a row of coordinates for each. */
export const where: OpRule = {
  ops: ["Where"],
  lower: ({ lowering, inputs }) => {
    const x = inputs[0]!;
    const places = lowering.transposed(lowering.op("NonZero", [lowering.lastValue(x)]), [1, 0]);
    return [lowering.plain(lowering.cast(places, "int32"), [null, x.shape?.length ?? null])];
  },
  dtype: () => "int32",
};

/** Different elements in the order in which they come first, and which of them each element is. */
export const unique: OpRule = {
  ops: ["Unique"],
  lower: ({ lowering, inputs, dtypes }) => {
    const x = inputs[0]!;
    const whole = dtypes[0] !== "float";
    // ONNX Runtime looks for equal int64, not int32.
    const value = whole ? lowering.cast(lowering.lastValue(x), "int64") : lowering.lastValue(x);
    const [found, , places] = lowering.ops("Unique", [value], 3, { sorted: 0 });
    return [
      lowering.plain(whole ? lowering.cast(found!, "int32") : found!, [null]),
      lowering.plain(lowering.cast(places!, "int32"), x.shape),
    ];
  },
  dtype: ({ dtypes }) => [dtypes[0]!, "int32"],
};
