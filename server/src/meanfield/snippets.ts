/**
 * Ready code that puts a network on the edge of chaos: weights and biases of its layers, and the scale of its inputs.
 * One function a framework; the numbers stand at the top of what it writes.
 */
import type { Scheme } from "../../protocol/recipe.js";
import type { EdgePoint } from "./edge-curve.js";
import { inputScale } from "./edge-of-chaos.js";

export const frameworks = ["pytorch", "keras", "tfjs", "jax"] as const;
export type Framework = (typeof frameworks)[number];

/** Code for every weighted layer that an activation follows; others are named in `last` and get σ_w = 1, σ_b = 0. */
export function snippet(framework: Framework, activation: string, point: EdgePoint, scheme: Scheme): string {
  const input = inputScale(point);
  const numbers: Numbers = {
    sigmaW: digits(point.sigmaW),
    sigmaB: digits(point.sigmaB),
    input: input === null ? null : digits(input),
    title: `Edge of chaos for ${activation}${point.q === null ? "" : `: variance q = ${digits(point.q)}`}.`,
  };
  return writers[framework](numbers, scheme === "orthogonal");
}

interface Numbers {
  readonly sigmaW: string;
  readonly sigmaB: string;
  /** Mean square of inputs; null where any will do. */
  readonly input: string | null;
  readonly title: string;
}

const digits = (value: number): string => String(Number(value.toPrecision(10)));

/** Lines that are absent where they are null. */
const lines = (parts: readonly (string | null)[]): string => `${parts.filter((part) => part !== null).join("\n")}\n`;

const pytorch = ({ sigmaW, sigmaB, input, title }: Numbers, orthogonal: boolean): string =>
  lines([
    `# ${title}`,
    "import math",
    "import torch",
    "from torch import nn",
    "",
    `SIGMA_W, SIGMA_B = ${sigmaW}, ${sigmaB}`,
    "TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)",
    "WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d) + TRANSPOSED",
    "",
    "@torch.no_grad()",
    "def edge_of_chaos(model, last=()):",
    '    """last: the output layer, and layers that no activation follows."""',
    "    for layer in model.modules():",
    "        if not isinstance(layer, WEIGHTED):",
    "            continue",
    "        sigma_w, sigma_b = (1.0, 0.0) if any(layer is one for one in last) else (SIGMA_W, SIGMA_B)",
    "        weight = layer.weight",
    "        if isinstance(layer, TRANSPOSED):",
    "            fan_in = layer.in_channels / layer.groups * weight[0, 0].numel() / math.prod(layer.stride)",
    "        else:",
    "            fan_in = weight[0].numel()",
    ...(orthogonal
      ? [
          "        if isinstance(layer, TRANSPOSED):",
          "            nn.init.normal_(weight, std=sigma_w / math.sqrt(fan_in))",
          "        else:",
          "            nn.init.orthogonal_(weight, gain=sigma_w * math.sqrt(max(1.0, weight.shape[0] / fan_in)))",
        ]
      : ["        nn.init.normal_(weight, std=sigma_w / math.sqrt(fan_in))"]),
    "        if layer.bias is not None:",
    "            nn.init.normal_(layer.bias, std=sigma_b)",
    ...pythonInput(input, "x.pow(2).mean()", "math.sqrt"),
  ]);

const keras = ({ sigmaW, sigmaB, input, title }: Numbers, orthogonal: boolean): string =>
  lines([
    `# ${title}`,
    "import math",
    "import numpy as np",
    "import keras",
    "",
    `SIGMA_W, SIGMA_B = ${sigmaW}, ${sigmaB}`,
    "",
    "def edge_of_chaos(model, last=(), seed=0):",
    '    """last: names of the output layer and of layers that no activation follows."""',
    "    rng = np.random.default_rng(seed)",
    "    for layer in model.layers:",
    "        kind = type(layer).__name__",
    '        if kind not in ("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", ' +
      '"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"):',
    "            continue",
    "        sigma_w, sigma_b = (1.0, 0.0) if layer.name in last else (SIGMA_W, SIGMA_B)",
    "        values = layer.get_weights()",
    "        shape = values[0].shape",
    '        if kind.startswith("Depthwise"):',
    "            fan_in = math.prod(shape[:-2])",
    '        elif kind.endswith("Transpose"):',
    "            fan_in = math.prod(shape[:-2]) * shape[-1] / math.prod(layer.strides)",
    "        else:",
    "            fan_in = math.prod(shape[:-1])",
    ...(orthogonal
      ? [
          '        if kind.startswith("Depthwise") or kind.endswith("Transpose"):',
          "            values[0] = rng.normal(0, sigma_w / math.sqrt(fan_in), shape)",
          "        else:",
          "            gain = sigma_w * math.sqrt(max(1.0, shape[-1] / fan_in))",
          "            values[0] = np.array(keras.initializers.Orthogonal(gain, seed=int(rng.integers(2**31)))(shape))",
        ]
      : ["        values[0] = rng.normal(0, sigma_w / math.sqrt(fan_in), shape)"]),
    "        if len(values) > 1:",
    "            values[1] = rng.normal(0, sigma_b, values[1].shape)",
    "        layer.set_weights(values)",
    ...pythonInput(input, "np.mean(np.square(x))", "math.sqrt"),
  ]);

const jax = ({ sigmaW, sigmaB, input, title }: Numbers, orthogonal: boolean): string =>
  lines([
    `# ${title} Kernels as in Flax: inputs second to last, outputs last.`,
    "import math",
    "import jax",
    "import jax.numpy as jnp",
    "",
    `SIGMA_W, SIGMA_B = ${sigmaW}, ${sigmaB}`,
    "",
    "def edge_of_chaos(params, key, last=()):",
    '    """params: nested dicts with "kernel" and "bias"; last: names of layers that no activation follows."""',
    "    def draw(node, name, key):",
    '        if "kernel" not in node:',
    "            keys = jax.random.split(key, max(1, len(node)))",
    "            return {k: draw(v, k, one) if isinstance(v, dict) else v for (k, v), one in zip(node.items(), keys)}",
    "        sigma_w, sigma_b = (1.0, 0.0) if name in last else (SIGMA_W, SIGMA_B)",
    "        for_kernel, for_bias = jax.random.split(key)",
    '        shape = node["kernel"].shape',
    "        fan_in = math.prod(shape[:-1])",
    ...(orthogonal
      ? [
          "        gain = sigma_w * math.sqrt(max(1.0, shape[-1] / fan_in))",
          "        kernel = jax.nn.initializers.orthogonal(gain)(for_kernel, (fan_in, shape[-1])).reshape(shape)",
        ]
      : ["        kernel = jax.random.normal(for_kernel, shape) * (sigma_w / math.sqrt(fan_in))"]),
    '        drawn = {**node, "kernel": kernel}',
    '        if "bias" in node:',
    '            drawn["bias"] = jax.random.normal(for_bias, node["bias"].shape) * sigma_b',
    "        return drawn",
    '    return draw(params, "", key)',
    ...pythonInput(input, "jnp.mean(jnp.square(x))", "jnp.sqrt"),
  ]);

const tfjs = ({ sigmaW, sigmaB, input, title }: Numbers, orthogonal: boolean): string =>
  lines([
    `// ${title}`,
    'import * as tf from "@tensorflow/tfjs";',
    "",
    `const SIGMA_W = ${sigmaW};`,
    `const SIGMA_B = ${sigmaB};`,
    "",
    "/** last: names of the output layer and of layers that no activation follows. */",
    "export function edgeOfChaos(model, last = []) {",
    "  const product = (sizes) => sizes.reduce((all, size) => all * size, 1);",
    "  for (const layer of model.layers) {",
    "    const kind = layer.getClassName();",
    "    if (!/^(Dense|Conv[123]D|DepthwiseConv2D|Conv[23]DTranspose)$/.test(kind)) continue;",
    "    const [sigmaW, sigmaB] = last.includes(layer.name) ? [1, 0] : [SIGMA_W, SIGMA_B];",
    "    tf.tidy(() => {",
    "      const [{ shape }, bias] = layer.getWeights();",
    '      const transposed = kind.endsWith("Transpose");',
    '      const depthwise = kind === "DepthwiseConv2D";',
    "      const taps = product(shape.slice(0, -2));",
    "      const fanIn = depthwise",
    "        ? taps",
    "        : transposed",
    "          ? (taps * shape.at(-1)) / product(layer.strides)",
    "          : product(shape.slice(0, -1));",
    ...(orthogonal
      ? [
          "      const outputs = shape.at(-1);",
          "      const gain = sigmaW * Math.sqrt(Math.max(1, outputs / fanIn));",
          "      const kernel = depthwise || transposed",
          "        ? tf.randomNormal(shape, 0, sigmaW / Math.sqrt(fanIn))",
          "        : tf.initializers.orthogonal({ gain }).apply([fanIn, outputs]).reshape(shape);",
        ]
      : ["      const kernel = tf.randomNormal(shape, 0, sigmaW / Math.sqrt(fanIn));"]),
    "      layer.setWeights(bias === undefined ? [kernel] : [kernel, tf.randomNormal(bias.shape, 0, sigmaB)]);",
    "    });",
    "  }",
    "}",
    ...(input === null
      ? []
      : [
          "",
          "/** Scales a batch of inputs so that the variance starts where it stays. */",
          "export function scaledInputs(x) {",
          `  return x.mul(tf.sqrt(tf.div(${input}, x.square().mean())));`,
          "}",
        ]),
  ]);

/** A function that scales inputs, in Python. */
const pythonInput = (input: string | null, square: string, root: string): string[] =>
  input === null
    ? []
    : [
        "",
        "def scaled_inputs(x):",
        '    """Scales a batch of inputs so that the variance starts where it stays."""',
        `    return x * ${root}(${input} / ${square})`,
      ];

const writers: Readonly<Record<Framework, (numbers: Numbers, orthogonal: boolean) => string>> = {
  pytorch,
  keras,
  tfjs,
  jax,
};
