/** Layers that work on images (or lines, or volumes) in either order of axes: what goes in and comes out, channels last. */
import {
  hasChannelsFirst,
  shapeWithChannelsLast,
  withChannelsFirst,
  withChannelsLast,
} from "../lowering/data-format.js";
import type { Lowered } from "../lowering/lowered.js";
import { type LayerCall, only } from "./rule.js";

export interface Image {
  readonly x: Lowered;
  /** Shape of the layer's output. */
  readonly shape: readonly (number | null)[];
}

/** The single input of a layer and the shape of its output, both with channels last. */
export function imageOf(call: LayerCall): Image {
  const [shape] = call.outputShapes;
  return hasChannelsFirst(call.config["dataFormat"])
    ? { x: withChannelsLast(call.lowering, only(call)), shape: shapeWithChannelsLast(shape!) }
    : { x: only(call), shape: shape! };
}

/** A layer's output out of one with channels last. */
export const outOf = (call: LayerCall, y: Lowered): Lowered =>
  hasChannelsFirst(call.config["dataFormat"]) ? withChannelsFirst(call.lowering, y) : y;
