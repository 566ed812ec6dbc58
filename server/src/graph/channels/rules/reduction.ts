/** Sums, means and extremes do not ask for the order of what they go over; choices and distributions over an axis do. */
import { intAttribute } from "../../graph.js";
import { type ChannelRule, unfitting } from "../rule.js";
import type { Site } from "../site.js";

/** Gives out the axes that are left, at the places where they are then. */
function reduced(site: Site, gone: ReadonlySet<number>): string | null {
  const shape = site.shape(0)!;
  const keep = intAttribute(site.node, "keepdims", 1) !== 0;
  let place = 0;
  const places = shape.map((_, axis) => {
    if (!gone.has(axis)) return place++;
    if (keep) place++;
    return -1;
  });
  site.give(0, site.carry(0, places, place));
  return null;
}

export const reductions: ChannelRule = {
  operators: [
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
  ],
  apply: (site) => {
    const shape = site.shape(0);
    if (shape === null) return unfitting;
    const given = site.list("axes", 1);
    if (given === null && site.has(1)) return "goes over axes that are not constant";
    const none = given === null || given.length === 0;
    if (none && intAttribute(site.node, "noop_with_empty_axes", 0) !== 0) {
      site.give(0, site.carryAll(0));
      return null;
    }
    const axes = none ? shape.map((_, axis) => axis) : given;
    const gone = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
    for (const axis of gone) site.take(0, axis);
    return reduced(site, gone);
  },
};

export const choices: ChannelRule = {
  operators: ["ArgMax", "ArgMin"],
  apply: (site) => {
    const shape = site.shape(0);
    if (shape === null) return unfitting;
    const axis = intAttribute(site.node, "axis", 0);
    return reduced(site, new Set([axis < 0 ? axis + shape.length : axis]));
  },
};

export const distributions: ChannelRule = {
  operators: ["Hardmax", "LogSoftmax", "Softmax"],
  apply: (site) => {
    const shape = site.shape(0);
    if (shape === null) return unfitting;
    // Before operator set 13 it goes over all axes from one on.
    const flat = site.opset < 13;
    const given = intAttribute(site.node, "axis", flat ? 1 : -1);
    const along = given < 0 ? given + shape.length : given;
    site.give(
      0,
      site.carryAll(0, (axis) => (flat ? axis < along : axis !== along)),
    );
    return null;
  },
};
