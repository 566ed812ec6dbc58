/** BatchNormalization with stored statistics, on any axis. */
import { type LayerRule, only } from "../rule.js";

export const batchNormalization: LayerRule = {
  classes: ["BatchNormalization"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const mean = call.weight("moving_mean")!;
    const channels = mean.shape![0]!;
    const all = (value: number): string => lowering.literal("float", [channels], Array<number>(channels).fill(value));
    const rank = x.shape!.length;
    const given = config["axis"] as number;
    const axis = given < 0 ? given + rank : given;
    // ONNX normalises along the second axis.
    const second = [0, axis, ...Array.from({ length: rank }, (_, i) => i).slice(1)].filter(
      (one, i, list) => list.indexOf(one) === i,
    );
    const last = axis === rank - 1;
    if (!last)
      lowering.notes.push(
        `"${lowering.scope}" (BatchNormalization) works along axis ${axis}, which TensorFlow.js' cpu and wasm backends do not: they take its numbers in turn, element by element.`,
      );
    const turned = axis === 0 ? [1, 0, ...second.slice(2)] : second;
    const value = lowering.op(
      "BatchNormalization",
      [
        last && rank > 2 ? lowering.firstValue(x) : lowering.transposed(lowering.lastValue(x), turned),
        call.weight("gamma")?.value ?? all(1),
        call.weight("beta")?.value ?? all(0),
        mean.value,
        call.weight("moving_variance")!.value,
      ],
      { epsilon: { float: config["epsilon"] as number } },
    );
    if (last && rank > 2) return [lowering.first(value, x.shape!)];
    const back = turned.map((_, i) => turned.indexOf(i));
    return [lowering.plain(lowering.transposed(value, back), x.shape)];
  },
};
