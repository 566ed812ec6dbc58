/** Activations made of straight lines. */
import type { ActivationFamily, Definition, OnnxForm } from "./activation.js";

/** a·u to the left of 0 and b·u to the right. E φφ by the arc-cosine kernel of degree 1 (Cho and Saul 2009). */
export function scaleFree(onnx: OnnxForm, a: number, b: number): Definition {
  const bend = (b - a) ** 2;
  return {
    onnx,
    value: (u) => (u < 0 ? a * u : b * u),
    slope: (u) => (u < 0 ? a : b),
    bends: [{ at: 0, width: 1 }],
    homogeneous: true,
    tails: { left: a, right: b },
    exact: {
      product: (q, c) => {
        const angle = Math.acos(c);
        return q * (a * b * c + (bend * (Math.sin(angle) + c * (Math.PI - angle))) / (2 * Math.PI));
      },
      slopes: (_, c) => a * b + (bend * (Math.PI - Math.acos(c))) / (2 * Math.PI),
      growth: () => (a * a + b * b) / 2,
    },
  };
}

/** u between two kinks, level beyond them. */
function clipped(onnx: OnnxForm, low: number, high: number): Definition {
  return {
    onnx,
    value: (u) => Math.min(high, Math.max(low, u)),
    slope: (u) => (u > low && u < high ? 1 : 0),
    bends: [low, 0, high].map((at) => ({ at, width: 1 })),
  };
}

const clip = (low: number, high: number): Definition =>
  clipped({ op: "Clip", attributes: { min: low, max: high } }, low, high);

export const identity: ActivationFamily = {
  id: "identity",
  aliases: ["linear", "none"],
  parameters: [],
  make: () => scaleFree({ op: "Identity", attributes: {} }, 1, 1),
};

export const relu: ActivationFamily = {
  id: "relu",
  aliases: [],
  parameters: [],
  make: () => scaleFree({ op: "Relu", attributes: {} }, 0, 1),
};

export const leakyRelu: ActivationFamily = {
  id: "leaky-relu",
  aliases: ["lrelu"],
  parameters: [{ name: "alpha", default: 0.01 }],
  make: (alpha = 0.01) => scaleFree({ op: "LeakyRelu", attributes: { alpha } }, alpha, 1),
};

/** With one slope for all channels. The default is where PyTorch starts training it. */
export const pRelu: ActivationFamily = {
  id: "prelu",
  aliases: [],
  parameters: [{ name: "slope", default: 0.25 }],
  make: (slope = 0.25) => scaleFree({ op: "PRelu", attributes: { slope } }, slope, 1),
};

export const thresholdedRelu: ActivationFamily = {
  id: "thresholded-relu",
  aliases: [],
  parameters: [{ name: "alpha", default: 1 }],
  make: (alpha = 1) => {
    const onnx = { op: "ThresholdedRelu", attributes: { alpha } };
    if (alpha === 0) return scaleFree(onnx, 0, 1);
    return {
      onnx,
      value: (u) => (u > alpha ? u : 0),
      slope: (u) => (u > alpha ? 1 : 0),
      bends: [{ at: alpha, width: 1 }],
      jumps: true,
      tails: { left: 0, right: 1 },
    };
  },
};

export const clipBetween: ActivationFamily = {
  id: "clip",
  aliases: [],
  parameters: [
    { name: "min", default: -1 },
    { name: "max", default: 1 },
  ],
  problem: (min = 0, max = 0) => (min < max ? null : "min must be below max"),
  make: (min = -1, max = 1) => clip(min, max),
};

export const hardTanh: ActivationFamily = {
  id: "hard-tanh",
  aliases: [],
  parameters: [],
  make: () => clip(-1, 1),
};

export const relu6: ActivationFamily = {
  id: "relu6",
  aliases: [],
  parameters: [],
  make: () => clip(0, 6),
};

export const hardSigmoid: ActivationFamily = {
  id: "hard-sigmoid",
  aliases: [],
  parameters: [
    { name: "alpha", default: 0.2 },
    { name: "beta", default: 0.5 },
  ],
  problem: (alpha = 0) => (alpha === 0 ? "alpha must not be 0" : null),
  make: (alpha = 0.2, beta = 0.5) => ({
    onnx: { op: "HardSigmoid", attributes: { alpha, beta } },
    value: (u) => Math.min(1, Math.max(0, alpha * u + beta)),
    slope: (u) => (alpha * u + beta > 0 && alpha * u + beta < 1 ? alpha : 0),
    bends: [-beta / alpha, 0, (1 - beta) / alpha].map((at) => ({ at, width: 1 })),
  }),
};
