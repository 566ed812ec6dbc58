/** Cases of branches whose condition is known before the model runs. */
import { floats, ints, node, ofType, type TensorValues } from "../../../support/tfjs/index.js";
import { graphCase, placeholders, type TfjsCase } from "../case.js";

/** Doubles its input where it has more axes than `axes`, else negates it. */
const branches = (what: string, axes: number, inputs: TensorValues): TfjsCase =>
  graphCase("Merge", what, inputs, {
    inputs: placeholders(inputs),
    weights: [ints("axes", axes)],
    nodes: [
      node("Rank", "rank", ["x"]),
      node("Greater", "more", ["rank", "axes"], { T: ofType("DT_INT32") }),
      node("Switch", "switch", ["x", "more"]),
      node("Neg", "negated", ["switch"]),
      node("AddV2", "doubled", ["switch:1", "switch:1"]),
      node("Merge", "y", ["negated", "doubled"], { N: 2 }),
    ],
    outputs: ["y"],
  });

export const control: readonly TfjsCase[] = [
  branches("of a branch that is taken", 1, { x: floats([2, 3]) }),
  branches("of a branch that is not taken", 2, { x: floats([2, 3]) }),
];
