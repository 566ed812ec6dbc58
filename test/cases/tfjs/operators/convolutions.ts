/** Cases of convolutions in graph models. */
import { floats, type GraphAttribute, ints, node, type TfjsWeight, weight } from "../../../support/tfjs/index.js";
import { graphCase, nodeCase, placeholders, type TfjsCase } from "../case.js";

type Attributes = Readonly<Record<string, GraphAttribute>>;

const count = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);
const kernel = (name: string, shape: readonly number[], seed = 2): TfjsWeight =>
  weight(
    name,
    shape,
    Float32Array.from(floats([count(shape)], seed).data, (x) => x / 3),
  );

const sliding = { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" };
const x = floats([2, 7, 6, 3]);
const [full, depthwise] = [kernel("w", [3, 3, 3, 4]), kernel("w", [3, 3, 3, 2])];
const [bias, slopes] = [kernel("b", [4], 3), kernel("s", [4], 4)];

/** Forms of a window that slides. */
const forms: readonly (readonly [string, Attributes])[] = [
  ["same", {}],
  ["valid", { padding: "VALID" }],
  ["same, stride 2", { strides: [1, 2, 2, 1] }],
  ["valid, stride 2", { strides: [1, 2, 2, 1], padding: "VALID" }],
  ["same, dilation 2", { dilations: [1, 2, 2, 1] }],
  ["explicit padding", { padding: "EXPLICIT", explicit_paddings: [0, 0, 2, 0, 1, 1, 0, 0] }],
];

const fused = (
  op: string,
  what: string,
  weights: readonly TfjsWeight[],
  ops: readonly string[],
  more: Attributes = {},
): TfjsCase =>
  nodeCase(op, what, { x }, weights, { ...sliding, fused_ops: ops, num_args: weights.length - 1, ...more });

const activations = ["Relu", "Relu6", "Elu", "Sigmoid"];

/** A shape of which nothing is known but the number of axes. */
const open = graphCase(
  "Conv2D",
  "of any height and width, stride 2",
  { x },
  {
    inputs: [
      { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: { unknownRank: true } } } },
    ],
    weights: [full],
    nodes: [node("Conv2D", "y", ["x", "w"], { ...sliding, strides: [1, 2, 2, 1] })],
    outputs: ["y"],
  },
);

function transposed(what: string, size: readonly number[], attributes: Attributes, computed = false): TfjsCase {
  const small = floats([2, 4, 5, 3]);
  return graphCase(
    "Conv2DBackpropInput",
    what,
    { x: small },
    {
      inputs: placeholders({ x: small }),
      weights: [
        ints("size", [2, ...size, 4]),
        kernel("w", [3, 3, 4, 3]),
        bias,
        ...["c0", "c1", "c2"].map((name, i) => ints(name, [...size, 4][i]!)),
        ...[0, 1].map((value) => ints(`at${value}`, [value])),
      ],
      nodes: [
        ...(computed
          ? [
              node("Shape", "shape", ["x"]),
              node("StridedSlice", "batch", ["shape", "at0", "at1", "at1"], { shrink_axis_mask: 1 }),
              node("Pack", "target", ["batch", "c0", "c1", "c2"], { axis: 0, N: 4 }),
            ]
          : []),
        node("Conv2DBackpropInput", "conv", [computed ? "target" : "size", "w", "x"], { ...sliding, ...attributes }),
        node("BiasAdd", "y", ["conv", "b"]),
      ],
      outputs: ["y"],
    },
  );
}

export const convolutions: readonly TfjsCase[] = [
  ...forms.map(([what, attributes]) => nodeCase("Conv2D", what, { x }, [full], { ...sliding, ...attributes })),
  ...forms.map(([what, attributes]) =>
    nodeCase("DepthwiseConv2dNative", what, { x }, [depthwise], { ...sliding, ...attributes }),
  ),
  nodeCase("DepthwiseConv2dNative", "one channel for each", { x }, [kernel("w", [3, 3, 3, 1])], sliding),
  nodeCase("Conv2D", "channels second", { x: floats([2, 3, 7, 6]) }, [full], { ...sliding, data_format: "NCHW" }),
  nodeCase("_FusedConv2D", "channels second", { x: floats([2, 3, 7, 6]) }, [full, bias], {
    ...sliding,
    data_format: "NCHW",
    padding: "EXPLICIT",
    explicit_paddings: [0, 0, 0, 0, 2, 0, 1, 1],
    fused_ops: ["BiasAdd", "Relu"],
    num_args: 1,
  }),
  open,
  fused("_FusedConv2D", "bias", [full, bias], ["BiasAdd"]),
  ...activations.map((name) => fused("_FusedConv2D", `bias and ${name}`, [full, bias], ["BiasAdd", name])),
  fused("_FusedConv2D", "bias and LeakyRelu", [full, bias], ["BiasAdd", "LeakyRelu"], { leakyrelu_alpha: 0.3 }),
  fused("_FusedConv2D", "bias and Prelu", [full, bias, slopes], ["BiasAdd", "Prelu"]),
  ...["Relu6", "Elu"].map((name) =>
    fused("FusedDepthwiseConv2dNative", `bias and ${name}`, [depthwise, kernel("b", [6], 3)], ["BiasAdd", name]),
  ),
  graphCase(
    "Conv2D",
    "with BiasAdd and Relu behind it",
    { x },
    {
      inputs: placeholders({ x }),
      weights: [full, bias],
      nodes: [
        node("Conv2D", "conv", ["x", "w"], sliding),
        node("BiasAdd", "biased", ["conv", "b"]),
        node("Relu", "y", ["biased"]),
      ],
      outputs: ["y"],
    },
  ),
  ...[full, depthwise].map((weights) =>
    graphCase(
      weights === full ? "Conv2D" : "DepthwiseConv2dNative",
      "dilated by SpaceToBatchND",
      { x },
      {
        inputs: placeholders({ x }),
        weights: [
          weights,
          ints("block", [2, 2]),
          ints("pads", [2, 3, 2, 2], [2, 2]),
          ints("crops", [0, 1, 0, 0], [2, 2]),
        ],
        nodes: [
          node("SpaceToBatchND", "dealt", ["x", "block", "pads"]),
          node(weights === full ? "Conv2D" : "DepthwiseConv2dNative", "conv", ["dealt", "w"], {
            ...sliding,
            padding: "VALID",
          }),
          node("BatchToSpaceND", "y", ["conv", "block", "crops"]),
        ],
        outputs: ["y"],
      },
    ),
  ),
  graphCase(
    "Conv2D",
    "as a convolution of one axis",
    { x: floats([2, 9, 3]) },
    {
      inputs: placeholders({ x: floats([2, 9, 3]) }),
      weights: [kernel("w", [1, 3, 3, 4]), ints("axis", 1)],
      nodes: [
        node("ExpandDims", "wide", ["x", "axis"]),
        node("Conv2D", "conv", ["wide", "w"], { ...sliding, strides: [1, 1, 2, 1] }),
        node("Squeeze", "y", ["conv"], { squeeze_dims: [1] }),
      ],
      outputs: ["y"],
    },
  ),
  nodeCase("Conv1D", "same, stride 2", { x: floats([2, 9, 3]) }, [kernel("w", [3, 3, 4])], {
    stride: 2,
    padding: "SAME",
    data_format: "NWC",
  }),
  nodeCase("Conv3D", "same, stride 2", { x: floats([1, 5, 4, 6, 2]) }, [kernel("w", [3, 2, 3, 2, 3])], {
    strides: [1, 2, 2, 2, 1],
    dilations: [1, 1, 1, 1, 1],
    padding: "SAME",
    data_format: "NDHWC",
  }),
  transposed("same, stride 2", [8, 10], { strides: [1, 2, 2, 1] }),
  transposed("same, stride 2, odd size", [7, 9], { strides: [1, 2, 2, 1] }),
  transposed("valid, stride 2", [9, 11], { strides: [1, 2, 2, 1], padding: "VALID" }),
  transposed("same, batch of any length", [8, 10], { strides: [1, 2, 2, 1] }, true),
];
