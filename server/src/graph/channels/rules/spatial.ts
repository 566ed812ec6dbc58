/** Operators on pixels: every channel by itself. */
import { intAttribute, type Node } from "../../graph.js";
import { type ChannelRule, unfitting } from "../rule.js";
import type { Site } from "../site.js";

/** Samples and channels as they are; pixels change. */
function channelwise(site: Site): string | null {
  const from = site.shape(0);
  const to = site.outputShape();
  if (from === null || to === null || from.length !== to.length) return unfitting;
  site.give(
    0,
    site.carryAll(0, (axis) => axis < 2),
  );
  return null;
}

export const pools: ChannelRule = {
  operators: ["AveragePool", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "LpPool", "MaxPool"],
  apply: channelwise,
};

const floats = (node: Node, name: string): readonly number[] | null => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "floats" ? attribute.value : null;
};

const text = (node: Node, name: string): string => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : "";
};

/** Axes that are scaled by exactly 1 stay as they are. */
export const resize: ChannelRule = {
  operators: ["Resize", "Upsample"],
  apply: (site) => {
    const { node, opset } = site;
    const from = site.shape(0);
    const to = site.outputShape();
    if (from === null || to === null || from.length !== to.length) return unfitting;
    if (text(node, "coordinate_transformation_mode") === "tf_crop_and_resize") return "crops as it resizes";
    if (!["", "stretch"].includes(text(node, "keep_aspect_ratio_policy"))) return "keeps an aspect ratio";
    const bySizes = node.op === "Resize" && opset >= 11 && site.has(3);
    const at = node.op === "Resize" && opset >= 11 ? 2 : 1;
    const scales = floats(node, "scales") ?? site.numbers(at);
    const listed = site.list("axes", -1) ?? from.map((_, axis) => axis);
    const axes = listed.map((axis) => (axis < 0 ? axis + from.length : axis));
    if (!bySizes && scales?.length !== axes.length) return "scales by something that is not constant";
    const kept = (axis: number): boolean => {
      const place = axes.indexOf(axis);
      return from[axis] === to[axis] && (place < 0 || bySizes || scales?.[place] === 1);
    };
    site.give(0, site.carryAll(0, kept));
    return null;
  },
};

/** Axes that nothing is added to stay as they are. */
export const pad: ChannelRule = {
  operators: ["Pad"],
  apply: (site) => {
    const from = site.shape(0);
    const pads = site.list(site.opset < 2 ? "paddings" : "pads", 1);
    if (from === null || pads === null) return "pads by something that is not constant";
    const given = site.numbers(3);
    if (given === null && site.has(3)) return "pads axes that are not constant";
    const axes = (given ?? from.map((_, axis) => axis)).map((axis) => (axis < 0 ? axis + from.length : axis));
    if (pads.length !== 2 * axes.length) return unfitting;
    const kept = (axis: number): boolean => {
      const place = axes.indexOf(axis);
      return place < 0 || (pads[place] === 0 && pads[place + axes.length] === 0);
    };
    site.give(0, site.carryAll(0, kept));
    return null;
  },
};

/** Numbers along an axis, joined as they are; scales and zero points of an axis move with it. */
export const quantisation: ChannelRule = {
  operators: ["DequantizeLinear", "QuantizeLinear"],
  apply: (site) => {
    const shape = site.shape(0);
    if (shape === null || intAttribute(site.node, "block_size", 0) !== 0) return unfitting;
    const given = intAttribute(site.node, "axis", 1);
    const along = given < 0 ? given + shape.length : given;
    const axes = site.carryAll(0);
    for (const input of [1, 2]) {
      if (!site.has(input)) continue;
      const own = site.shape(input);
      if (own === null || own.length > 1) return unfitting;
      if ((own[0] ?? 1) !== 1) axes[along] = site.join(axes[along] ?? null, site.take(input, 0));
    }
    site.give(0, axes);
    return null;
  },
};
