/** A plain network of depth L: Gemm and activation, L times, the last without activation. Variances σ_w² / fan-in and σ_b². */
import type { Network } from "./network.js";
import { NetworkWriter, type Signal } from "./network-writer.js";

export interface FfnnOptions {
  readonly activation: "Relu" | "Tanh";
  /** σ_w: √2 is ReLU's edge of chaos, 1 is tanh's; above it a network is chaotic. */
  readonly sigmaW: number;
  /** Of all layers but the last; 0 when absent. */
  readonly sigmaB?: number;
  readonly seed?: number;
  readonly depth?: number;
  readonly width?: number;
  readonly batch?: number;
  readonly classes?: number;
}

export function ffnn(options: FfnnOptions): Network {
  const { activation, sigmaW, sigmaB = 0, seed = 1, depth = 40, width = 100, batch = 32, classes = 10 } = options;
  const w = new NetworkWriter(seed);
  let h: Signal = { name: "x", channels: width, size: 1, power: 1 };
  for (let layer = 1; layer < depth; layer++)
    h = w.map(w.linear(h, width, { gain: sigmaW ** 2, biasDeviation: sigmaB }), activation);
  return w.finish({ opset: 13, shape: [batch, width], logits: w.linear(h, classes) });
}
