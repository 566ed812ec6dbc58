/** Smooth bounded activations. */
import { erf } from "../normal.js";
import type { ActivationFamily } from "./activation.js";

const centre = [{ at: 0, width: 1 }];

/** 1/(1 + e^(−u)). */
export const logistic = (u: number): number => 1 / (1 + Math.exp(-u));

export const tanh: ActivationFamily = {
  id: "tanh",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "Tanh", attributes: {} },
    value: Math.tanh,
    slope: (u) => 1 / Math.cosh(u) ** 2,
    bends: centre,
  }),
};

export const sigmoid: ActivationFamily = {
  id: "sigmoid",
  aliases: ["logistic"],
  parameters: [],
  make: () => ({
    onnx: { op: "Sigmoid", attributes: {} },
    value: logistic,
    slope: (u) => logistic(u) * logistic(-u),
    bends: centre,
  }),
};

/** Closed forms: Williams 1998. */
export const erfActivation: ActivationFamily = {
  id: "erf",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "Erf", attributes: {} },
    value: erf,
    slope: (u) => (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u),
    bends: centre,
    exact: {
      product: (q, c) => (2 / Math.PI) * Math.asin((2 * q * c) / (1 + 2 * q)),
      slopes: (q, c) => 4 / Math.PI / Math.sqrt((1 + 2 * q * (1 - c)) * (1 + 2 * q * (1 + c))),
      growth: (q) => 4 / Math.PI / ((1 + 2 * q) * Math.sqrt(1 + 4 * q)),
    },
  }),
};

export const softsign: ActivationFamily = {
  id: "softsign",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "Softsign", attributes: {} },
    value: (u) => u / (1 + Math.abs(u)),
    slope: (u) => 1 / (1 + Math.abs(u)) ** 2,
    bends: centre,
  }),
};

/** E sin(u₁)sin(u₂) = e^(−q)·sinh(qc), E cos(u₁)cos(u₂) = e^(−q)·cosh(qc). */
export const sin: ActivationFamily = {
  id: "sin",
  aliases: ["sine"],
  parameters: [],
  make: () => ({
    onnx: { op: "Sin", attributes: {} },
    value: Math.sin,
    slope: Math.cos,
    bends: centre,
    exact: {
      // e^(−q)·sinh(qc) in a form that neither cancels nor overflows.
      product: (q, c) => (-Math.sign(c) * Math.exp(-q * (1 - Math.abs(c))) * Math.expm1(-2 * q * Math.abs(c))) / 2,
      slopes: (q, c) => (Math.exp(-q * (1 - c)) + Math.exp(-q * (1 + c))) / 2,
      growth: (q) => Math.exp(-2 * q),
    },
  }),
};
