/** Cases of operators that pass on what they take in, that only make a tensor, and of other names for the same operator. */
import { floats, ints, node, ofType, weight } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

const x = floats([2, 5, 4, 3]);
const kernel = weight("w", [3, 3, 3, 2], floats([54], 2).data);
const sliding = { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" };

/** A tensor made from a shape, added to the input. */
const made = (op: string): TfjsCase =>
  graphCase(
    op,
    "added",
    { x },
    {
      inputs: placeholders({ x }),
      weights: [ints("shape", [4, 3])],
      nodes: [node(op, "made", ["shape"], { dtype: ofType("DT_FLOAT") }), node("AddV2", "y", ["x", "made"])],
      outputs: ["y"],
    },
  );

export const passing: readonly TfjsCase[] = [
  nodeCase("DepthwiseConv2d", "same", { x }, [kernel], sliding),
  nodeCase("FakeQuantWithMinMaxVars", "ignored", { x }, [weight("min", [], [-1]), weight("max", [], [1])], {
    num_bits: 8,
    narrow_range: false,
  }),
  made("Ones"),
  made("Zeros"),
];
