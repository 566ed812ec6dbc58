/** When a convolution is worth computing in blocks of channels. */
import { fitsBlocks } from "../../../runtime/blocked-conv.js";
import type { Kernels } from "../../../runtime/kernels.js";
import { type Correlation, isDepthwise, places, taps } from "./correlation.js";

/** Places of all samples from which on reordering the weight pays; with one tap it never does (measured). */
const enoughPlaces = (c: Correlation): number => (isDepthwise(c) ? 0 : taps(c) > 1 ? 1500 : Infinity);

/** Whether blocks fit a convolution's channels, and it is faster in them. */
export const paysInBlocks = (c: Correlation, { nchwc }: Kernels): boolean =>
  nchwc !== null && c.kernel.length === 2 && fitsBlocks(nchwc, c) && c.batch * places(c) >= enoughPlaces(c);
