/** BatchNormalization with stored statistics, on the last axis. */
import type { Lowered } from "../../lowering/lowered.js";
import { type LayerRule, only } from "../rule.js";

export const batchNormalization: LayerRule = {
  classes: ["BatchNormalization"],
  lower: (call) => {
    const { lowering, config } = call;
    const x = only(call);
    const mean = call.weight("moving_mean")!;
    const channels = mean.shape![0]!;
    const vector = (name: string, fallback: number): string => (call.weight(name) ?? constant(fallback)).value;
    const constant = (value: number): Lowered =>
      lowering.plain(
        lowering.literal(
          "float",
          [channels],
          Array.from({ length: channels }, () => value),
        ),
        [channels],
      );
    const rank = x.shape!.length;
    const inputs = [
      rank > 2 ? lowering.firstValue(x) : lowering.lastValue(x),
      vector("gamma", 1),
      vector("beta", 0),
      mean.value,
      call.weight("moving_variance")!.value,
    ];
    const value = lowering.op("BatchNormalization", inputs, { epsilon: { float: config["epsilon"] as number } });
    return [rank > 2 ? lowering.first(value, x.shape!) : lowering.plain(value, x.shape)];
  },
};
