/** A plain network of depth L: Gemm and activation, L times, the last without activation. Variance σ_w² / fan-in, σ_b = 0. */
import type { Network } from "./network.js";
import { NetworkWriter, type Signal } from "./network-writer.js";

export interface FfnnOptions {
  readonly activation: "Relu" | "Tanh";
  /** σ_w: √2 is ReLU's edge of chaos, 1 is tanh's; above it a network is chaotic. */
  readonly sigmaW: number;
  readonly seed?: number;
  readonly depth?: number;
  readonly width?: number;
  readonly batch?: number;
  readonly classes?: number;
}

export function ffnn(options: FfnnOptions): Network {
  const { activation, sigmaW, seed = 1, depth = 40, width = 100, batch = 32, classes = 10 } = options;
  const w = new NetworkWriter(seed);
  let h: Signal = { name: "x", channels: width, size: 1, power: 1 };
  for (let layer = 1; layer < depth; layer++) h = w.map(w.linear(h, width, { gain: sigmaW ** 2 }), activation);
  return w.finish({ opset: 13, shape: [batch, width], logits: w.linear(h, classes) });
}
