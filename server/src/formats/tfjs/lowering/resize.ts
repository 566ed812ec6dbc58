/**
 * Images in another size. TensorFlow.js takes the element at index · (old / new), rounded down or interpolated; with
 * aligned corners at index · (old − 1) / (new − 1); with half-pixel centres at (index + ½) · (old / new) − ½.
 */
import type { Value } from "../../../graph/builder.js";
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";

export interface Resizing {
  readonly interpolation: "bilinear" | "nearest";
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
  /** Height and width of the result, as numbers or as an int64 value; or how many times larger it is. */
  readonly size:
    { readonly lengths: readonly number[] } | { readonly computed: Value } | { readonly scales: readonly number[] };
}

/** Resizes images [batch, height, width, channels]. */
export function resize(lowering: Lowering, x: Lowered, options: Resizing): Lowered {
  const { interpolation, alignCorners = false, halfPixelCenters = false, size } = options;
  const [batch, height, width, channels] = x.shape as [number | null, number | null, number | null, number | null];
  const first = lowering.firstValue(x);
  const words = {
    coordinate_transformation_mode: alignCorners ? "align_corners" : halfPixelCenters ? "half_pixel" : "asymmetric",
    mode: interpolation === "bilinear" ? "linear" : "nearest",
    // Rounded up at halves, as Math.round does; with half-pixel centres that is what rounding down is without the −½.
    ...(interpolation === "nearest"
      ? { nearest_mode: alignCorners || halfPixelCenters ? "round_prefer_ceil" : "floor" }
      : {}),
  };
  if ("scales" in size) {
    const scales = lowering.literal("float", [4], [1, 1, ...size.scales]);
    const times = (length: number | null, i: number): number | null =>
      length === null ? null : length * size.scales[i]!;
    return lowering.first(lowering.op("Resize", [first, "", scales], words), [
      batch,
      times(height, 0),
      times(width, 1),
      channels,
    ]);
  }
  const lengths = "lengths" in size ? lowering.ints(size.lengths) : size.computed;
  const value = lowering.op("Resize", [first, "", "", lengths], { ...words, axes: [2, 3] });
  return lowering.first(value, [batch, ...("lengths" in size ? size.lengths : [null, null]), channels]);
}
