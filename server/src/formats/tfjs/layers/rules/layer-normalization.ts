/** LayerNormalization over any axes; ONNX has it over the last ones. */
import type { Lowered } from "../../lowering/lowered.js";
import { type LayerRule, only } from "../rule.js";

export const layerNormalization: LayerRule = {
  classes: ["LayerNormalization"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const rank = x.shape!.length;
    const given = config["axis"] as number | readonly number[];
    const axes = (typeof given === "number" ? [given] : given)
      .map((axis) => (axis < 0 ? axis + rank : axis))
      .sort((a, b) => a - b);
    const lengths = axes.map((axis) => x.shape![axis]!);
    // Scale and offset are stored with axes in the order of the configuration, and read as if they were in their own.
    const vector = (weight: Lowered | null): string | null =>
      weight === null || weight.shape!.join() === lengths.join()
        ? (weight?.value ?? null)
        : lowering.reshaped(weight.value, lengths);
    const ones = (): string => {
      const count = lengths.reduce((product, length) => product * length, 1);
      return lowering.literal("float", lengths, Array<number>(count).fill(1));
    };
    const beta = vector(call.weight("beta"));
    const order = [...x.shape!.keys()];
    const perm = [...order.filter((axis) => !axes.includes(axis)), ...axes];
    const value = lowering.op(
      "LayerNormalization",
      [
        lowering.transposed(lowering.lastValue(x), perm),
        vector(call.weight("gamma")) ?? ones(),
        ...(beta === null ? [] : [beta]),
      ],
      { axis: rank - axes.length, epsilon: { float: config["epsilon"] as number } },
    );
    return [
      lowering.plain(
        lowering.transposed(
          value,
          order.map((axis) => perm.indexOf(axis)),
        ),
        x.shape,
      ),
    ];
  },
};
