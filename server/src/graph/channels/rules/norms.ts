/** Norms: scale and shift move with the channels; statistics of a group or a layer do not ask for the order within it. */
import { intAttribute } from "../../graph.js";
import { partsOf } from "../axes.js";
import { type ChannelRule, unfitting } from "../rule.js";
import type { Site } from "../site.js";

/** Joins vectors, inputs `from` on, with the channels of input 0, and gives input 0 out. */
function withVectors(site: Site, count: number): string | null {
  const x = site.shape(0);
  if (x === null || x.length < 2) return unfitting;
  const axes = site.carryAll(0);
  for (let i = 1; i <= count; i++) {
    const shape = site.shape(i);
    if (shape?.length !== 1) return unfitting;
    if (shape[0] === x[1]) site.join(axes[1]!, site.take(i, 0));
  }
  site.give(0, axes);
  return null;
}

export const batchNorm: ChannelRule = {
  operators: ["BatchNormalization"],
  apply: (site) =>
    intAttribute(site.node, "spatial", 1) === 0 ? "has statistics of every pixel" : withVectors(site, 4),
};

export const instanceNorm: ChannelRule = {
  operators: ["InstanceNormalization"],
  apply: (site) => withVectors(site, 2),
};

export const groupNorm: ChannelRule = {
  operators: ["GroupNormalization"],
  apply: (site) => {
    const groups = intAttribute(site.node, "num_groups", 0);
    const length = site.shape(0)?.[1] ?? 0;
    if (groups < 1 || length % groups !== 0) return unfitting;
    partsOf(site.take(0, 1), groups, `${site.label} has groups that fall into its channels`);
    return withVectors(site, 2);
  },
};

/** Norms over the last axes, with scale and shift along them, and what is added before. */
export const layerNorm: ChannelRule = {
  operators: [
    "LayerNormalization",
    "RMSNormalization",
    "SimplifiedLayerNormalization",
    "com.microsoft.SkipLayerNormalization",
    "com.microsoft.SkipSimplifiedLayerNormalization",
  ],
  apply: (site) => {
    const shape = site.shape(0);
    if (shape === null) return unfitting;
    const given = intAttribute(site.node, "axis", -1);
    const first = given < 0 ? given + shape.length : given;
    const inputs = site.node.inputs.flatMap((name, i) => (name === "" ? [] : [i]));
    const axes = site.broadcast(inputs, shape.length);
    if (axes === null) return unfitting;
    for (const [output, name] of site.node.outputs.entries()) {
      if (name === "") continue;
      const like = site.outputShape(output)?.every((length, axis) => length === shape[axis]) === true;
      site.give(output, like ? axes : axes.map((axis, k) => (k < first ? axis : null)));
    }
    return null;
  },
};

/** Divided by a length along one axis. */
export const lpNorm: ChannelRule = {
  operators: ["LpNormalization"],
  apply: (site) => {
    site.give(0, site.carryAll(0));
    return null;
  },
};
