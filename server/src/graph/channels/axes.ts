/** Axes of a value as far as the order of their positions goes, and what it means that two of them are the same. */
import { ChannelSet, divided, fixAll, join, positions, resolved, type Segments, widened } from "./sets.js";

/**
 * An axis whose order depends on where one stands along another: the part that index `i` of axis `by` lies in has an
 * order of its own. Inputs of a grouped convolution's weight, channels within a group or a head.
 */
export interface Dependent {
  readonly by: number;
  /** Order in each of so many equal runs of the axis `by`; the axis `by` moves nothing from one run to another. */
  readonly parts: readonly Segments[];
}

/** Null for an axis that stays in its order: batches, pixels, axes of length 1. */
export type Axis = Segments | Dependent | null;

/** What is known of a value. */
export interface Signal {
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
}

export const isDependent = (axis: Axis): axis is Dependent => axis !== null && "by" in axis;

/** Says that an axis stays in its order. */
export function fixAxis(axis: Axis, reason: string): void {
  if (axis === null) return;
  for (const segments of isDependent(axis) ? axis.parts : [axis]) fixAll(segments, reason);
}

/** Makes two axes move as one, or both stay for the `reason`. @returns the axis that both are now. */
export function joinAxes(a: Axis, b: Axis, reason: string): Axis {
  if (a !== null && b !== null) {
    if (isDependent(a) && isDependent(b) && a.by === b.by && a.parts.length === b.parts.length) {
      a.parts.forEach((part, i) => {
        join(part, b.parts[i]!, reason);
      });
      return a;
    }
    if (!isDependent(a) && !isDependent(b)) {
      join(a, b, reason);
      return a;
    }
  }
  fixAxis(a, reason);
  fixAxis(b, reason);
  return null;
}

/** The axis in `parts` equal runs; null, and all of it stays for the `reason`, where that cannot be. */
export function partsOf(axis: Axis, parts: number, reason: string): readonly Segments[] | null {
  if (axis === null) return null;
  const runs = isDependent(axis) ? null : divided(axis, parts);
  if (runs === null) fixAxis(axis, reason);
  return runs;
}

/** The axis with each position repeated, `by` neighbours for one. */
export function widenedAxis(axis: Axis, by: number, reason: string): Axis {
  if (by === 1 || axis === null) return axis;
  if (!isDependent(axis)) return widened(axis, by);
  fixAxis(axis, reason);
  return null;
}

/** Length of an axis, the same in all parts; null where it is not known from its sets. */
export function lengthOf(axis: Axis): number | null {
  if (axis === null) return null;
  if (!isDependent(axis)) return positions(axis);
  const [first, ...others] = axis.parts.map(positions);
  return first !== undefined && others.every((one) => one === first) ? first : null;
}

/** The axis with all sets as they are now. */
export function resolvedAxis(axis: Axis): Axis {
  if (axis === null) return null;
  return isDependent(axis) ? { by: axis.by, parts: axis.parts.map(resolved) } : resolved(axis);
}

/** Every set of an axis as it is now. */
export function setsOf(axis: Axis): ChannelSet[] {
  if (axis === null) return [];
  const runs = isDependent(axis) ? axis.parts : [axis];
  return runs.flatMap((run) => resolved(run).map(({ set }) => set));
}

/** Whether anything of an axis may still move. */
export const isFree = (axis: Axis): boolean => setsOf(axis).some(({ reason, count }) => reason === null && count > 1);

/** A value whose axes stay in their order for the `reason`, but for those that are `known`. */
export function fixedSignal(shape: readonly number[], reason: string, known: readonly Axis[] = []): Signal {
  const fixed = (length: number): Axis => (length > 1 ? [{ set: new ChannelSet(length, reason), inner: 1 }] : null);
  return { shape, axes: shape.map((length, k) => known[k] ?? fixed(length)) };
}
