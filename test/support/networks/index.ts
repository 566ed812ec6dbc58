/**
 * Test networks of true depth and topology, small enough that a forward and backward pass takes well under a second,
 * and the generators behind them, which make them of full size too:
 * `resnet({ depth: 18 | 50 })`, `mobileNetV2({ width: 1, size: 224, classes: 1000 })`,
 * `vit({ size: 224, patch: 16, dim: 384, heads: 6, batch: 4, classes: 1000 })` (ViT-S/16).
 */
import { denseNet } from "./dense-net.js";
import { ffnn } from "./ffnn.js";
import { mobileNetV2 } from "./mobilenet-v2.js";
import type { Network } from "./network.js";
import { resnet } from "./resnet.js";
import { shuffleNetV2 } from "./shufflenet-v2.js";
import { squeezeNet } from "./squeeze-net.js";
import { unet } from "./unet.js";
import { vit } from "./vit.js";

export type { Feed, ImageOptions, Integers, Network } from "./network.js";
export { denseNet, ffnn, mobileNetV2, resnet, shuffleNetV2, squeezeNet, unet, vit };

/** Networks that have a float64 reference in test/oracle/gradients; statistics of a batch take 32 samples. */
export const networks = {
  "ffnn-relu": () => ffnn({ activation: "Relu", sigmaW: Math.SQRT2 }),
  "ffnn-relu-narrow": () => ffnn({ activation: "Relu", sigmaW: Math.SQRT2, width: 48 }),
  "ffnn-tanh": () => ffnn({ activation: "Tanh", sigmaW: 1 }),
  "ffnn-tanh-chaotic": () => ffnn({ activation: "Tanh", sigmaW: 2 }),
  "ffnn-tanh-narrow": () => ffnn({ activation: "Tanh", sigmaW: 1, width: 48 }),
  densenet: () => denseNet(),
  "densenet-of-32": () => denseNet({ batch: 32 }),
  "mobilenet-v2": () => mobileNetV2(),
  "mobilenet-v2-of-32": () => mobileNetV2({ batch: 32 }),
  "resnet-32": () => resnet({ depth: 32 }),
  "resnet-32-stable": () => resnet({ depth: 32, stable: true, opset: 17 }),
  "shufflenet-v2": () => shuffleNetV2(),
  squeezenet: () => squeezeNet(),
  unet: () => unet(),
  vit: () => vit(),
} as const satisfies Readonly<Record<string, () => Network>>;

export type NetworkName = keyof typeof networks;
