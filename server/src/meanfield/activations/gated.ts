/** Smooth activations that follow u to the right and vanish to the left. */
import { normalCdf, normalPdf } from "../normal.js";
import type { ActivationFamily } from "./activation.js";
import { logistic } from "./saturating.js";

const centre = [{ at: 0, width: 1 }];
const tails = { left: 0, right: 1 };

export const gelu: ActivationFamily = {
  id: "gelu",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "Gelu", attributes: { approximate: "none" } },
    value: (u) => u * normalCdf(u),
    slope: (u) => normalCdf(u) + u * normalPdf(u),
    bends: centre,
    tails,
  }),
};

/** u·logistic(2·√(2/π)·(u + 0.044715 u³)), which is the tanh form without its cancellation. */
export const geluTanh: ActivationFamily = {
  id: "gelu-tanh",
  aliases: ["gelu-new"],
  parameters: [],
  make: () => {
    const a = 2 * Math.sqrt(2 / Math.PI);
    const inner = (u: number): number => a * (u + 0.044715 * u ** 3);
    return {
      onnx: { op: "Gelu", attributes: { approximate: "tanh" } },
      value: (u) => u * logistic(inner(u)),
      slope: (u) => {
        const gate = logistic(inner(u));
        return gate + u * gate * logistic(-inner(u)) * a * (1 + 3 * 0.044715 * u * u);
      },
      bends: [{ at: 0, width: 0.5 }],
      tails,
    };
  },
};

/** u·logistic(alpha·u): SiLU at 1, QuickGELU at 1.702. */
export const silu: ActivationFamily = {
  id: "silu",
  aliases: ["swish"],
  parameters: [{ name: "alpha", default: 1 }],
  problem: (alpha = 0) => (alpha > 0 ? null : "alpha must be above 0"),
  make: (alpha = 1) => ({
    onnx: { op: "Swish", attributes: { alpha } },
    value: (u) => u * logistic(alpha * u),
    slope: (u) => {
      const gate = logistic(alpha * u);
      return gate + alpha * u * gate * logistic(-alpha * u);
    },
    bends: [{ at: 0, width: 1 / alpha }],
    tails,
  }),
};

export const hardSwish: ActivationFamily = {
  id: "hard-swish",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "HardSwish", attributes: {} },
    value: (u) => (u <= -3 ? 0 : u >= 3 ? u : (u * (u + 3)) / 6),
    slope: (u) => (u <= -3 ? 0 : u >= 3 ? 1 : (2 * u + 3) / 6),
    bends: [-3, 0, 3].map((at) => ({ at, width: 1 })),
    tails,
  }),
};

/** u·tanh(softplus(u)) = u·n/(n + 2) with n = e^u(e^u + 2). */
export const mish: ActivationFamily = {
  id: "mish",
  aliases: [],
  parameters: [],
  make: () => {
    // Beyond 20 the gate differs from 1 by less than 1e-17.
    const gate = (u: number): number => {
      const e = Math.exp(Math.min(u, 20));
      return (e * (e + 2)) / (e * (e + 2) + 2);
    };
    return {
      onnx: { op: "Mish", attributes: {} },
      value: (u) => u * gate(u),
      slope: (u) => {
        const e = Math.exp(Math.min(u, 20));
        return gate(u) + (u * 4 * e * (1 + e)) / (e * (e + 2) + 2) ** 2;
      },
      bends: centre,
      tails,
    };
  },
};

export const softplus: ActivationFamily = {
  id: "softplus",
  aliases: [],
  parameters: [],
  make: () => ({
    onnx: { op: "Softplus", attributes: {} },
    value: (u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u))),
    slope: logistic,
    bends: centre,
    tails,
  }),
};
