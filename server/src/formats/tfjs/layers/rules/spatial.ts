/** Layers that pad, crop and enlarge images. */
import { resize } from "../../lowering/resize.js";
import { imageOf, outOf } from "../image.js";
import type { LayerRule } from "../rule.js";

type Sides = readonly [readonly [number, number], readonly [number, number]];

export const zeroPadding: LayerRule = {
  classes: ["ZeroPadding2D"],
  lower: (call) => {
    const { lowering, config } = call;
    const { x, shape } = imageOf(call);
    const [rows, columns] = config["padding"] as unknown as Sides;
    const pads = lowering.ints([0, 0, rows[0], columns[0], 0, 0, rows[1], columns[1]]);
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
    const sides = config["cropping"] as unknown as Sides;
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
