/**
 * What Conv computes: y[n,k,o] = Σ w[k,c,t] · x[n,c, o·stride + t·dilation − begin], in groups. ConvTranspose is the same
 * with x and y exchanged, so that both share the forms in this folder.
 */
import { elementCount } from "../../../graph/tensor.js";
import type { Window } from "../../window.js";

export interface Correlation extends Window {
  /** Samples. */
  readonly batch: number;
  readonly group: number;
  /** Channels of x in a group. */
  readonly channels: number;
  /** Channels of y in a group. */
  readonly maps: number;
}

/** Shapes of x, y and w. */
export const xShape = (c: Correlation): number[] => [c.batch, c.group * c.channels, ...c.input];
export const yShape = (c: Correlation): number[] => [c.batch, c.group * c.maps, ...c.output];
export const wShape = (c: Correlation): number[] => [c.group * c.maps, c.channels, ...c.kernel];

/** Places of the window in one sample. */
export const places = (c: Correlation): number => elementCount(c.output);

/** Taps of the window. */
export const taps = (c: Correlation): number => elementCount(c.kernel);

/** Whether each channel is convolved alone. */
export const isDepthwise = (c: Correlation): boolean => c.group > 1 && c.channels === 1 && c.maps === 1;
