/** Convolutions: filters are the outputs' channels. Groups: only within one; depthwise: inputs and outputs as one. */
import { intAttribute } from "../../graph.js";
import { type Axis, isDependent, partsOf, widenedAxis } from "../axes.js";
import { type ChannelRule, unfitting } from "../rule.js";
import type { Site } from "../site.js";

const mixed = "has groups, whose channels cannot be told apart";

export const convolution: ChannelRule = {
  operators: ["Conv", "com.microsoft.FusedConv"],
  apply: (site) => {
    const x = site.shape(0);
    const w = site.shape(1);
    const groups = intAttribute(site.node, "group", 1);
    if (x === null || w === null || x.length !== w.length || x.length < 3 || groups < 1) return unfitting;
    if (x[1] !== w[1]! * groups || w[0]! % groups !== 0) return unfitting;
    const filters = site.take(1, 0);
    if (groups === 1) site.join(site.take(0, 1), site.take(1, 1));
    else if (w[1] === 1) site.join(widenedAxis(site.take(0, 1), w[0]! / groups, mixed), filters);
    else {
      const refusal = inGroups(site, groups, site.take(0, 1), site.take(1, 1));
      if (refusal !== null) return refusal;
    }
    return finished(site, filters);
  },
};

export const transposedConvolution: ChannelRule = {
  operators: ["ConvTranspose"],
  apply: (site) => {
    const x = site.shape(0);
    const w = site.shape(1);
    const groups = intAttribute(site.node, "group", 1);
    if (x === null || w === null || x.length !== w.length || x.length < 3 || groups < 1) return unfitting;
    if (x[1] !== w[0] || w[0]! % groups !== 0) return unfitting;
    const inputs = site.join(site.take(0, 1), site.take(1, 0));
    if (groups === 1) return finished(site, site.take(1, 1));
    // With one input a group, its outputs move with it.
    if (w[0] === groups) return finished(site, widenedAxis(inputs, w[1]!, mixed));
    const outputs = site.take(1, 1);
    if (w[1] === 1) {
      // One output for several inputs: they stay among themselves, and their outputs where they are.
      if (partsOf(inputs, groups, mixed) === null) site.fix(inputs);
      return finished(site, null);
    }
    if (!isDependent(outputs) || outputs.by !== 0 || outputs.parts.length !== groups) return mixed;
    partsOf(inputs, groups, mixed);
    return finished(site, outputs.parts.flat());
  },
};

/** Joins the inputs of each group with those of its filters. */
function inGroups(site: Site, groups: number, inputs: Axis, ofFilters: Axis): string | null {
  if (!isDependent(ofFilters) || ofFilters.by !== 0 || ofFilters.parts.length !== groups) return mixed;
  const runs = partsOf(inputs, groups, mixed);
  for (const [i, part] of ofFilters.parts.entries()) site.join(part, runs?.[i] ?? null);
  return null;
}

/** Bias, and what a fused convolution adds, move with the outputs. */
function finished(site: Site, outputs: Axis): null {
  if (site.has(2)) site.join(outputs, site.take(2, 0));
  const rank = site.shape(0)!.length;
  const axes = Array.from({ length: rank }, (_, k) => (k === 1 ? outputs : null));
  axes[0] = site.carryAll(0, (k) => k === 0)[0] ?? null;
  if (site.has(3)) site.carryAll(3).forEach((axis, k) => (axes[k] = site.join(axes[k] ?? null, axis)));
  site.give(0, axes);
  return null;
}
