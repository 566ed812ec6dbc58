/** Orders of sets, written out as orders of the axes that their channels lie along. */
import { type Axis, isDependent } from "./axes.js";
import type { ChannelSet, Segments } from "./sets.js";

/** `order[i]` is the old channel at new place i. Sets without an order stay as they are. */
export type Orders = ReadonlyMap<ChannelSet, Uint32Array>;

/** The order of an axis in each of the equal runs of axis `by`; one order for all of it where `by` is null. */
export interface AxisOrder {
  readonly by: number | null;
  /** `orders[part][i]` is the old position at new place i. */
  readonly orders: readonly Uint32Array[];
}

/** The order of an axis; null where nothing of it moves. */
export function axisOrder(axis: Axis, orders: Orders): AxisOrder | null {
  if (axis === null) return null;
  const runs = isDependent(axis) ? axis.parts : [axis];
  if (!runs.some((run) => run.some(({ set }) => orders.has(set)))) return null;
  return { by: isDependent(axis) ? axis.by : null, orders: runs.map((run) => positionsOf(run, orders)) };
}

function positionsOf(segments: Segments, orders: Orders): Uint32Array {
  const length = segments.reduce((sum, { set, inner }) => sum + set.count * inner, 0);
  const places = new Uint32Array(length);
  let start = 0;
  for (const { set, inner } of segments) {
    const order = orders.get(set);
    for (let channel = 0; channel < set.count; channel++) {
      const from = start + (order === undefined ? channel : order[channel]!) * inner;
      for (let k = 0; k < inner; k++) places[start + channel * inner + k] = from + k;
    }
    start += set.count * inner;
  }
  return places;
}
