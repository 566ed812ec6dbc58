/** Layers that make one tensor of several, element by element or side by side. */
import type { Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import type { LayerCall, LayerRule } from "../rule.js";

const operators: Readonly<Record<string, string>> = {
  Add: "Add",
  Average: "Add",
  Maximum: "Max",
  Minimum: "Min",
  Multiply: "Mul",
};

export const merge: LayerRule = {
  classes: Object.keys(operators),
  lower: (call) => {
    const { lowering, className, inputs } = call;
    const [first, ...others] = ofOneRank(lowering, inputs);
    const op = operators[className]!;
    const all = others.reduce((sum, next) => lowering.elementwise(op, [sum, next]), first!);
    if (className !== "Average") return [all];
    return [{ ...all, value: lowering.op("Mul", [all.value, lowering.scalar(1 / inputs.length)]) }];
  },
};

/** Tensors of one rank: TensorFlow.js gives those of lower rank axes of length 1 behind the batch. */
function ofOneRank(lowering: Lowering, tensors: readonly Lowered[]): readonly Lowered[] {
  const rank = Math.max(...tensors.map(({ shape }) => shape!.length));
  const first = tensors.some(({ layout }) => layout === "channels-first");
  return tensors.map((tensor) => {
    const [batch, ...rest] = tensor.shape!;
    const missing = rank - tensor.shape!.length;
    if (missing === 0) return tensor;
    const shape = [batch!, ...Array<number>(missing).fill(1), ...rest];
    // [batch, channels] with the new axes behind the channels has its channels first.
    const behind = first && rest.length === 1;
    const axes = Array.from({ length: missing }, (_, i) => i + (behind ? 2 : 1));
    const value = lowering.op("Unsqueeze", [lowering.lastValue(tensor), lowering.ints(axes)]);
    return behind ? lowering.first(value, shape) : lowering.plain(value, shape);
  });
}

export const concatenate: LayerRule = {
  classes: ["Concatenate"],
  lower: (call) => {
    const { lowering, config, inputs } = call;
    const shape = call.outputShapes[0]!;
    const first = inputs.some(({ layout }) => layout === "channels-first");
    const values = inputs.map((tensor) => (first ? lowering.firstValue(tensor) : lowering.lastValue(tensor)));
    const all = first ? lowering.first("", shape) : lowering.plain("", shape);
    const axis = lowering.axis(all, config["axis"] as number);
    return [{ ...all, value: lowering.op("Concat", values, { axis }) }];
  },
};

export const dot: LayerRule = {
  classes: ["Dot"],
  lower: (call) => {
    const { lowering, config, inputs, outputShapes } = call;
    const given = config["axes"] as number | readonly number[];
    const axes = inputs.map(({ shape }, i) => {
      const axis = typeof given === "number" ? given : given[i]!;
      return axis < 0 ? axis + shape!.length : axis;
    });
    if (axes.includes(0)) return call.unlowered("its product runs over the batch");
    const factors = inputs.map((x, i) => (config["normalize"] === true ? normalised(call, x, axes[i]!) : x));
    return [lowering.plain(product(lowering, factors, axes), outputShapes[0]!)];
  },
};

/** Sums of products of two tensors of rank 2 and 3 along an axis of each, for each sample. */
function product(lowering: Lowering, factors: readonly Lowered[], axes: readonly number[]): string {
  const [a, b] = factors.map((x) => lowering.lastValue(x)) as [string, string];
  const [rankA, rankB] = factors.map(({ shape }) => shape!.length) as [number, number];
  if (rankA === 2 && rankB === 2)
    return lowering.op("ReduceSum", [lowering.op("Mul", [a, b]), lowering.ints([1])], { keepdims: 1 });
  // The axis that is summed over goes last in the first factor, and second in the second.
  const left = rankA === 2 ? lowering.op("Unsqueeze", [a, lowering.ints([1])]) : turned(a, axes[0] === 2);
  const right = rankB === 2 ? lowering.op("Unsqueeze", [b, lowering.ints([2])]) : turned(b, axes[1] === 1);
  const matrices = lowering.op("MatMul", [left, right]);
  if (rankA === rankB) return matrices;
  return lowering.op("Squeeze", [matrices, lowering.ints([rankA === 2 ? 1 : 2])]);

  function turned(value: string, right: boolean): string {
    return right ? value : lowering.transposed(value, [0, 2, 1]);
  }
}

/** x / √max(Σx², ε) along an axis. */
function normalised({ lowering }: LayerCall, x: Lowered, axis: number): Lowered {
  const value = lowering.lastValue(x);
  const squares = lowering.op("Mul", [value, value]);
  const sum = lowering.op("ReduceSum", [squares, lowering.ints([axis])], { keepdims: 1 });
  const norm = lowering.op("Sqrt", [lowering.op("Max", [sum, lowering.scalar(1e-7)])]);
  return lowering.plain(lowering.op("Div", [value, norm]), x.shape);
}
