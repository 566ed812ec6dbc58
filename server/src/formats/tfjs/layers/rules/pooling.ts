/** Pooling over windows, and over all of an image. */
import { hasChannelsFirst, withChannelsLast } from "../../lowering/data-format.js";
import { type Pool, poolGlobally, poolOver } from "../../lowering/pooling.js";
import { imageOf, outOf } from "../image.js";
import { type LayerRule, lengths, only } from "../rule.js";

const poolOf = (className: string): Pool => (className.includes("Max") ? "Max" : "Average");

export const pooling: LayerRule = {
  classes: [1, 2, 3].flatMap((axes) => [`AveragePooling${axes}D`, `MaxPooling${axes}D`]),
  lower: (call) => {
    const { lowering, config, className } = call;
    const axes = Number(className.at(-2));
    const { x, shape } = imageOf(call);
    const y = poolOver(lowering, x, {
      pool: poolOf(className),
      window: lengths(config["poolSize"], axes, 2),
      strides: lengths(config["strides"], axes, 1),
      padding: config["padding"] as string,
      shape,
    });
    return [outOf(call, y)];
  },
};

export const globalPooling: LayerRule = {
  classes: ["GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"],
  lower: (call) => {
    const { lowering, config, className } = call;
    const x = hasChannelsFirst(config["dataFormat"]) ? withChannelsLast(lowering, only(call)) : only(call);
    return [poolGlobally(lowering, x, poolOf(className))];
  },
};
