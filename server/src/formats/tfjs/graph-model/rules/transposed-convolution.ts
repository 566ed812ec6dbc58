/** Convolutions turned round: the gradient of a convolution with respect to its input. */
import { convolveTransposed } from "../../lowering/convolution.js";
import { type OpRule, ranked, Unlowered } from "../rule.js";
import { innerInts, isFirst } from "../windows.js";

/**
 * Its first input is the shape of the result. Where that is computed it is stride · length (`SAME`) or
 * stride · length + max(window − stride, 0) (`VALID`), as Keras has it, and a note says so.
 */
export const transposedConvolution: OpRule = {
  ops: ["Conv2DBackpropInput", "Conv2dTranspose"],
  lower: ({ lowering, node, inputs, known, takeBias }) => {
    if (isFirst(node)) throw new Unlowered("TensorFlow.js takes its data_format NCHW for NHWC");
    const x = ranked(inputs[2]!, 4);
    const kernel = ranked(inputs[1]!, 4);
    if (kernel.shape.includes(null)) throw new Unlowered("the shape of its kernel is not known");
    const [height, width, channels] = kernel.shape as readonly [number, number, number];
    const strides = innerInts(node, "strides", 2);
    if (innerInts(node, "dilations", 2).some((dilation) => dilation !== 1))
      throw new Unlowered("it dilates, which TensorFlow.js ignores");
    const padding = node.text("padding", "VALID");
    const explicit = padding === "EXPLICIT" ? node.ints("explicit_paddings") : null;
    const target = known(0)?.values.slice(1, 3) ?? [null, null];
    const cuts = [height, width].map((window, axis) => {
      const wanted = target[axis] ?? null;
      const length = x.shape[axis + 1] ?? null;
      const stride = strides[axis]!;
      if (explicit !== null) {
        const [before, after] = [explicit[2 + 2 * axis] ?? 0, explicit[3 + 2 * axis] ?? 0];
        const full = length === null ? null : (length - 1) * stride + window - before - after;
        return { before, after, behind: wanted === null || full === null ? 0 : wanted - full };
      }
      const usual = padding === "SAME" ? 0 : Math.max(window - stride, 0);
      // Elements that the result has more than (length − 1) · stride + window, or fewer.
      const more =
        wanted === null || length === null ? usual + stride - window : wanted - (length - 1) * stride - window;
      const over = padding === "SAME" ? Math.max(-more, 0) : 0;
      const before = Math.floor(over / 2);
      return { before, after: over - before, behind: more + over };
    });
    if (cuts.some(({ behind }, axis) => behind < 0 || behind >= strides[axis]!))
      throw new Unlowered(`no input of its size gives the shape that it is asked for`);
    if (target.includes(null))
      lowering.notes.push(
        `The size of what "${node.name}" gives out is computed while the model runs; it is taken to be as Keras has it.`,
      );
    const lengths = cuts.map(({ before, after, behind }, axis) => {
      const length = x.shape[axis + 1] ?? null;
      const window = kernel.shape[axis]!;
      return (
        target[axis] ?? (length === null ? null : (length - 1) * strides[axis]! + window - before - after + behind)
      );
    });
    const result = convolveTransposed(lowering, x, {
      kernel,
      bias: takeBias(channels),
      strides,
      dilations: [1, 1],
      pads: [...cuts.map(({ before }) => before), ...cuts.map(({ after }) => after)],
      outputPadding: cuts.map(({ behind }) => behind),
      shape: [x.shape[0]!, ...lengths, channels],
    });
    return [result];
  },
  dtype: () => "float",
};
