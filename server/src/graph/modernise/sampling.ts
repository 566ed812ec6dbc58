/** Operators that read their input at other places than its elements: Upsample, Resize, RoiAlign, GridSample. */
import { PruneScopeError } from "../../../protocol/errors.js";
import { attributes, literalValues } from "../literal.js";
import { type Node, nodeLabel } from "../graph.js";
import { elementCount } from "../tensor.js";
import { type Raise, restated, type Site, text, textAttribute, withAttribute } from "./raise.js";

/** Upsample: its scales are an attribute up to opset 8, input 1 in opset 9. */
export const upsample: Raise["raise"] = (node, site) => {
  const scales = node.attributes.get("scales");
  const given = scales?.kind === "floats" ? scales.value : [];
  const second = node.inputs[1] ?? site.b.literal("float", [given.length], given);
  return asymmetric({ ...node, inputs: [node.inputs[0] ?? "", second] }, site);
};

/** Resize of opset 10: scales are input 1, the place of an output's element is its index divided by the scale. */
export const resize10: Raise["raise"] = (node, site) => asymmetric(node, site);

/**
 * Upsample and the first Resize read the element before the place that they come to when they enlarge an axis, and the
 * one behind it when they shrink it (so ONNX Runtime; the specification is silent): two steps where both may happen.
 */
function asymmetric(node: Node, { b, constant }: Site): Node {
  const [data = "", scales = ""] = node.inputs;
  const mode = text(node, "mode", "nearest");
  const known = constant(scales);
  const values = known === null ? null : literalValues(known);
  const words = (nearest: string): Parameters<typeof attributes>[0] => ({
    mode: mode === "nearest" ? mode : "linear",
    coordinate_transformation_mode: "asymmetric",
    ...(mode === "nearest" ? { nearest_mode: nearest } : {}),
  });
  const resize = (input: string, by: string, nearest: string): Node => ({
    ...node,
    op: "Resize",
    inputs: [input, "", by],
    attributes: attributes(words(nearest)),
  });
  if (mode !== "nearest" || values?.every((scale) => scale >= 1) === true) return resize(data, scales, "floor");
  if (values?.every((scale) => scale <= 1) === true) return resize(data, scales, "ceil");
  const one = b.scalar(1);
  const larger = b.op("Resize", [data, "", b.op("Max", [scales, one])], words("floor"));
  return resize(larger, b.op("Min", [scales, one]), "ceil");
}

/**
 * Opset 13: inputs that are not used are left out instead of being empty, and `tf_half_pixel_for_nn` is gone. With
 * `floor` it is ⌊(i + ½)/scale⌋, which is (i + ½)/scale − ½ rounded half up.
 * @throws PruneScopeError `unsupported-op` for its other roundings.
 */
export const resize13: Raise["raise"] = (node, { constant }) => {
  const [data = "", roi = "", scales = "", sizes = ""] = node.inputs;
  const shape = constant(scales)?.tensor.shape;
  const empty = shape !== undefined && elementCount(shape) === 0;
  const place = text(node, "coordinate_transformation_mode", "half_pixel");
  const inputs = [data, place === "tf_crop_and_resize" ? roi : "", empty ? "" : scales, sizes];
  const made = restated(node, inputs, []);
  if (place !== "tf_half_pixel_for_nn") return made;
  const nearest = text(node, "nearest_mode", "round_prefer_floor");
  if (nearest !== "floor") {
    throw new PruneScopeError(
      "unsupported-op",
      `Resize "${nodeLabel(node)}" places its elements by tf_half_pixel_for_nn with nearest_mode ${nearest}, which later operator sets do not have. Export the model with opset 13 or newer.`,
      { node: nodeLabel(node), operator: "Resize" },
    );
  }
  const halfPixel = withAttribute(made, "coordinate_transformation_mode", textAttribute("half_pixel"));
  return withAttribute(halfPixel, "nearest_mode", textAttribute("round_prefer_ceil"));
};

/** Opset 16: what RoiAlign did until then is one of two modes, and not the default. */
export const roiAlign: Raise["raise"] = (node) =>
  withAttribute(node, "coordinate_transformation_mode", textAttribute("output_half_pixel"));

/** Opset 20: the modes have other names. */
export const gridSample: Raise["raise"] = (node) => {
  const names: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };
  const mode = text(node, "mode", "bilinear");
  return withAttribute(node, "mode", textAttribute(names[mode] ?? mode));
};
