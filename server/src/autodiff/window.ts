/** How a window slides over the spatial axes: what convolution and pooling share. */
import type { Site } from "./rule.js";

/**
 * One entry for each spatial axis. Tap t of the window at place o reads element o·stride + t·dilation − begin.
 */
export interface Window {
  /** Lengths of what the window slides over. */
  readonly input: readonly number[];
  /** Number of places. */
  readonly output: readonly number[];
  /** Taps of the window. */
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements that the first window begins before the first element. */
  readonly begin: readonly number[];
  /** Elements that the last window ends after the last element; negative when it does not reach it. */
  readonly end: readonly number[];
}

/** The lengths of a window's axes. */
export type Lengths = Pick<Window, "input" | "output" | "kernel">;

/** The window that a node's attributes and the lengths of its axes describe. */
export function windowOf(site: Site, lengths: Lengths): Window {
  const ones = lengths.kernel.map(() => 1);
  const strides = site.ints("strides") ?? ones;
  const dilations = site.ints("dilations") ?? ones;
  const steps = { ...lengths, strides, dilations };
  const overlap = overlaps(steps);
  const kind = site.string("auto_pad", "NOTSET");
  const begin =
    kind === "SAME_UPPER"
      ? overlap.map((pad) => Math.floor(Math.max(0, pad) / 2))
      : kind === "SAME_LOWER"
        ? overlap.map((pad) => Math.ceil(Math.max(0, pad) / 2))
        : kind === "VALID"
          ? ones.map(() => 0)
          : ones.map((_, axis) => site.ints("pads")?.[axis] ?? 0);
  return withBegin(steps, begin);
}

/** The window that begins `begin` elements before the first one. */
export function withBegin(steps: Omit<Window, "begin" | "end">, begin: readonly number[]): Window {
  return { ...steps, begin, end: overlaps(steps).map((pad, axis) => pad - begin[axis]!) };
}

/** Elements from the first tap of a window to its last, both counted. */
export const extents = ({ kernel, dilations }: Pick<Window, "kernel" | "dilations">): number[] =>
  kernel.map((taps, axis) => (taps - 1) * dilations[axis]! + 1);

/** Elements that all windows together reach beyond the input. */
function overlaps(window: Omit<Window, "begin" | "end">): number[] {
  const { input, output, strides } = window;
  return extents(window).map((extent, axis) => (output[axis]! - 1) * strides[axis]! + extent - input[axis]!);
}

/** `values` with negative numbers made 0. */
export const positive = (values: readonly number[]): number[] => values.map((value) => Math.max(0, value));

/** Whether every number is `wanted`. */
export const all = (values: readonly number[], wanted: number): boolean => values.every((value) => value === wanted);
