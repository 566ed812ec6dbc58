/** Activations that are linear to the right of 0 and exponential to the left. */
import type { ActivationFamily, Definition, OnnxForm } from "./activation.js";
import { scaleFree } from "./piecewise-linear.js";

/** gain·u to the right, height·(e^(u/scale) − 1) to the left. */
function exponential(onnx: OnnxForm, height: number, scale: number, gain: number): Definition {
  if (height === 0) return scaleFree(onnx, 0, gain);
  return {
    onnx,
    value: (u) => (u < 0 ? height * Math.expm1(u / scale) : gain * u),
    slope: (u) => (u < 0 ? (height / scale) * Math.exp(u / scale) : gain),
    bends: [{ at: 0, width: scale }],
    tails: { left: 0, right: gain },
  };
}

export const elu: ActivationFamily = {
  id: "elu",
  aliases: [],
  parameters: [{ name: "alpha", default: 1 }],
  make: (alpha = 1) => exponential({ op: "Elu", attributes: { alpha } }, alpha, 1, 1),
};

export const celu: ActivationFamily = {
  id: "celu",
  aliases: [],
  parameters: [{ name: "alpha", default: 1 }],
  problem: (alpha = 0) => (alpha > 0 ? null : "alpha must be above 0"),
  make: (alpha = 1) => exponential({ op: "Celu", attributes: { alpha } }, alpha, alpha, 1),
};

/** Defaults of ONNX: those of Klambauer et al. 2017 in float32. */
const selu0 = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

export const selu: ActivationFamily = {
  id: "selu",
  aliases: [],
  parameters: [
    { name: "alpha", default: selu0.alpha },
    { name: "gamma", default: selu0.gamma },
  ],
  problem: (_, gamma = 0) => (gamma > 0 ? null : "gamma must be above 0"),
  make: (alpha = selu0.alpha, gamma = selu0.gamma) =>
    exponential({ op: "Selu", attributes: { alpha, gamma } }, alpha * gamma, 1, gamma),
};
