/**
 * Wide residual networks (Zagoruyko and Komodakis 2016, arXiv 1605.07146) of depth 6n + 4, with pre-activation (He et al.
 * 2016, arXiv 1603.05027): BatchNormalization and ReLU stand before every convolution and nothing follows the sum. Where
 * the shape changes, the first pre-activation feeds branch and projection alike.
 */
import type { ImageOptions, Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

export interface WideResnetOptions extends ImageOptions {
  readonly depth: 16 | 28;
  /** Multiplies the 16, 32, 64 channels of the stages. */
  readonly widen?: number;
}

export function wideResnet(options: WideResnetOptions): Network {
  const { depth, seed = 1, batch = 2, size = 8, classes = 10, widen = 0.25 } = options;
  const w = new NetworkWriter(seed);
  const activated = (x: Signal): Signal => w.relu(w.batchNorm(x));
  const block = (x: Signal, channels: number, stride: number): Signal => {
    const start = activated(x);
    const branch = w.conv(activated(w.conv(start, channels, { stride })), channels);
    return w.add(x.channels === channels ? x : w.conv(start, channels, { kernel: 1, stride }), branch);
  };
  let h = w.conv(image(size), 16 * Math.min(1, widen), { gain: 1 });
  [16, 32, 64].forEach((channels, stage) => {
    for (let i = 0; i < (depth - 4) / 6; i++) h = block(h, channels * widen, stage > 0 && i === 0 ? 2 : 1);
  });
  return w.finish({ opset: 13, shape: [batch, 3, size, size], logits: w.linear(w.globalPool(activated(h)), classes) });
}
