/** Layers that pad, crop and enlarge images. */
import { resize } from "../../lowering/resize.js";
import { imageOf, outOf } from "../image.js";
import { type LayerRule, sidesIn } from "../rule.js";

export const zeroPadding: LayerRule = {
  classes: ["ZeroPadding2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const { x, shape } = imageOf(call);
    const sides = sidesIn(config["padding"], 2);
    const pads = lowering.ints([0, 0, ...sides.map(([before]) => before), 0, 0, ...sides.map(([, after]) => after)]);
    return [outOf(call, lowering.first(lowering.op("Pad", [lowering.firstValue(x), pads]), shape))];
  },
};

/** Further than any axis goes. */
const end = 2 ** 31 - 1;

export const cropping: LayerRule = {
  classes: ["Cropping2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const { x, shape } = imageOf(call);
    const sides = sidesIn(config["cropping"], 2);
    const value = lowering.op("Slice", [
      lowering.firstValue(x),
      lowering.ints(sides.map(([before]) => before)),
      lowering.ints(sides.map(([, after]) => (after === 0 ? end : -after))),
      lowering.ints([2, 3]),
    ]);
    return [outOf(call, lowering.first(value, shape))];
  },
};

export const upSampling: LayerRule = {
  classes: ["UpSampling2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const { x } = imageOf(call);
    const y = resize(lowering, x, {
      interpolation: config["interpolation"] as "bilinear" | "nearest",
      size: { scales: config["size"] as readonly number[] },
    });
    return [outOf(call, y)];
  },
};
