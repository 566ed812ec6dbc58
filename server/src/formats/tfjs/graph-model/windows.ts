/** Attributes of operators with a window that slides: strides, dilations, padding, and the lengths that come of them. */
import { hasChannelsFirst } from "../lowering/data-format.js";
import type { Padding } from "../lowering/padding.js";
import type { NodeDef } from "./node-def.js";
import { Unlowered } from "./rule.js";

export interface Sliding {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
}

/** An attribute with a number for each axis of a tensor, of those `axes` that lie between batch and channels. */
export function innerInts(node: NodeDef, name: string, axes: number): number[] {
  const all = node.ints(name);
  if (all.length === 0) return Array.from({ length: axes }, () => 1);
  if (all.length !== axes + 2 || !all.every((value) => Number.isInteger(value) && value > 0))
    throw new Unlowered(`its ${name} are [${all.join(", ")}]`);
  return isFirst(node) ? all.slice(2) : all.slice(1, -1);
}

export const isFirst = (node: NodeDef): boolean => hasChannelsFirst(node.text("data_format", "NHWC"));

/**
 * The padding of a node whose input has `lengths` between batch and channels. `SAME` becomes numbers where the lengths or
 * strides of 1 tell them: what dilates is refused by ONNX Runtime otherwise.
 */
export function paddingOf(
  node: NodeDef,
  lengths: readonly (number | null)[],
  sliding: Omit<Sliding, "padding">,
): Padding {
  const kind = node.text("padding", "VALID");
  const axes = lengths.length;
  if (kind === "EXPLICIT") {
    const pairs = node.ints("explicit_paddings");
    if (pairs.length !== 2 * axes + 4) throw new Unlowered(`its explicit_paddings are [${pairs.join(", ")}]`);
    const from = isFirst(node) ? 4 : 2;
    const side = (end: number): number[] => Array.from({ length: axes }, (_, axis) => pairs[from + 2 * axis + end]!);
    return [...side(0), ...side(1)];
  }
  if (kind !== "SAME") return "valid";
  const over = lengths.map((length, axis) => samePadding(length, sliding, axis));
  if (over.includes(null)) return "same";
  const whole = over as readonly number[];
  const before = whole.map((pad) => Math.floor(pad / 2));
  if (whole.every((pad) => pad === 0)) return "valid";
  return [...before, ...whole.map((pad, axis) => pad - before[axis]!)];
}

/** What `SAME` adds to an axis; null where its length is not known and matters. */
function samePadding(
  length: number | null,
  { window, strides, dilations }: Omit<Sliding, "padding">,
  axis: number,
): number | null {
  const extent = (window[axis]! - 1) * dilations[axis]! + 1;
  const stride = strides[axis]!;
  if (stride === 1) return extent - 1;
  if (length === null) return null;
  return Math.max(0, (Math.ceil(length / stride) - 1) * stride + extent - length);
}

/** Lengths of the result, between batch and channels. */
export function slidLengths(lengths: readonly (number | null)[], sliding: Sliding): (number | null)[] {
  const { window, strides, dilations, padding } = sliding;
  return lengths.map((length, axis) => {
    if (length === null) return null;
    if (padding === "same") return Math.ceil(length / strides[axis]!);
    const pads = typeof padding === "string" ? 0 : padding[axis]! + padding[axis + lengths.length]!;
    return Math.floor((length + pads - (window[axis]! - 1) * dilations[axis]! - 1) / strides[axis]!) + 1;
  });
}
