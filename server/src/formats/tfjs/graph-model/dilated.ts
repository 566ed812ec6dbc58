/**
 * Dilated convolutions as TensorFlow exports them: SpaceToBatchND deals the image out to several, each of them is
 * convolved, and BatchToSpaceND puts the results together again. That is one convolution with dilations: element j of
 * its result is Σ_t w_t · x[j + crop − pad + block · t].
 */
import type { NodeDef } from "./node-def.js";
import type { OpSite } from "./rule.js";

export interface Dilation {
  readonly dilations: readonly number[];
  /** Before each axis, then after each. */
  readonly pads: readonly number[];
}

const convolutions: ReadonlySet<string> = new Set([
  "Conv2D",
  "DepthwiseConv2d",
  "DepthwiseConv2dNative",
  "FusedDepthwiseConv2dNative",
  "_FusedConv2D",
]);

/** What may stand between the convolution and BatchToSpaceND: it looks at each element by itself. */
const between: ReadonlySet<string> = new Set(["BiasAdd", "Elu", "LeakyRelu", "Relu", "Relu6", "Sigmoid", "Tanh"]);

/**
 * Whether the SpaceToBatchND of `site` begins a dilated convolution. If it does, the convolution will be told, and
 * BatchToSpaceND does nothing.
 */
export function beginsDilated(site: OpSite): boolean {
  const { node, onlyReader, constantNamed, absorb, dilations } = site;
  const convolution = onlyReader(node.name);
  if (convolution === null || !convolutions.has(convolution.op) || convolution.inputs[0] !== node.name) return false;
  if (convolution.text("padding", "VALID") !== "VALID" || !slidesByOne(convolution)) return false;
  let last = onlyReader(convolution.name);
  while (last !== null && between.has(last.op)) last = onlyReader(last.name);
  if (last?.op !== "BatchToSpaceND") return false;
  const [block, pads] = [constantNamed(node.inputs[1]!), constantNamed(node.inputs[2]!)];
  const [sameBlock, crops] = [constantNamed(last.inputs[1] ?? ""), constantNamed(last.inputs[2] ?? "")];
  if (block === null || pads === null || sameBlock === null || crops === null) return false;
  if (block.length !== 2 || block.join() !== sameBlock.join() || pads.length !== 4 || crops.length !== 4) return false;
  const widths = pads.map((pad, i) => pad - crops[i]!);
  if (widths.some((width) => width < 0)) return false;
  dilations.set(convolution.name, { dilations: block, pads: [widths[0]!, widths[2]!, widths[1]!, widths[3]!] });
  absorb(last, 0);
  return true;
}

const slidesByOne = (node: NodeDef): boolean =>
  [...node.ints("strides"), ...node.ints("dilations")].every((value) => value === 1);
