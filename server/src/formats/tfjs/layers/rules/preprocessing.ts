/** Layers that prepare inputs: images in another size or range, categories as vectors. */
import type { Lowered } from "../../lowering/lowered.js";
import { cropRows } from "../center-crop.js";
import { type LayerRule, numbersIn, only } from "../rule.js";

export const rescaling: LayerRule = {
  classes: ["Rescaling"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const floats = lowering.dtypeOf(x) === "float" ? x : { ...x, value: lowering.cast(x.value, "float") };
    const [scale, offset] = [numbersIn(config["scale"]), numbersIn(config["offset"])];
    const factor = (numbers: number | readonly number[]): Lowered =>
      typeof numbers === "number"
        ? lowering.plain(lowering.scalar(numbers), [])
        : lowering.plain(lowering.literal("float", [numbers.length], numbers), [numbers.length]);
    const scaled = lowering.elementwise("Mul", [floats, factor(scale)]);
    return [offset === 0 ? scaled : lowering.elementwise("Add", [scaled, factor(offset)])];
  },
};

export const centerCrop: LayerRule = {
  classes: ["CenterCrop"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    if (x.shape!.length !== 4) return call.unlowered("it is given no batch of images");
    const [batch, height, width, channels] = x.shape as [number | null, number | null, number | null, number | null];
    const [rows, columns] = [config["height"] as number, config["width"] as number];
    if (height === null || width === null) return call.unlowered("the size of its images is not known");
    if (height < rows || width < columns) return call.unlowered("TensorFlow.js enlarges nothing within a model");
    const kept = cropRows({ height, width, rows, columns });
    const at = (indices: readonly number[]): string => lowering.ints(indices);
    const cropped = lowering.op("Gather", [lowering.firstValue(x), at(kept.rows)], { axis: 2 });
    const value = lowering.op("Gather", [cropped, at(kept.columns)], { axis: 3 });
    return [lowering.first(value, [batch, rows, columns, channels])];
  },
};

export const categoryEncoding: LayerRule = {
  classes: ["CategoryEncoding"],
  lower: (call) => {
    const { lowering, config } = call;
    const mode = config["outputMode"] as string;
    const x = only(call);
    const shape = call.outputShapes[0]!;
    if (mode === "int") return [lowering.plain(lowering.cast(lowering.lastValue(x), "int32"), x.shape)];
    if (mode !== "oneHot" && mode !== "multiHot" && mode !== "count")
      return call.unlowered(`it encodes by "${mode}", which takes weights at run time`);
    if (x.shape!.length !== 2 || (mode === "oneHot" && x.shape![1] !== 1))
      return call.unlowered("TensorFlow.js encodes nothing of this rank");
    const ids = lowering.cast(lowering.lastValue(x), "int64");
    const depth = lowering.literal("int64", [], [config["numTokens"] as number]);
    const hot = lowering.op("OneHot", [ids, depth, lowering.literal("float", [2], [0, 1])], { axis: -1 });
    const op = mode === "count" ? "ReduceSum" : "ReduceMax";
    return [lowering.plain(lowering.op(op, [hot, lowering.ints([1])], { keepdims: 0 }), shape)];
  },
};

export const randomSize: LayerRule = {
  classes: ["RandomHeight", "RandomWidth"],
  lower: (call) => call.unlowered("it draws a size at random"),
};

export const resizing: LayerRule = {
  classes: ["Resizing"],
  lower: (call) => call.unlowered("TensorFlow.js does not run it within a model"),
};
