/**
 * MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381): inverted residuals with a linear bottleneck, depthwise
 * convolutions, ReLU6 as Clip. Inputs below 128 pixels keep their size through the first two strides.
 */
import type { ImageOptions, Network } from "./network.js";
import { type ConvOptions, image, NetworkWriter, type Signal } from "./network-writer.js";

/** Expansion, channels, blocks, stride of the first block: table 2 of the paper. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export interface MobileNetOptions extends ImageOptions {
  /** Multiplies every number of channels; those are rounded to multiples of 8. */
  readonly width?: number;
}

export function mobileNetV2(options: MobileNetOptions = {}): Network {
  const { seed = 1, batch = 8, size = 32, classes = 10, width = 0.25 } = options;
  const scaled = (channels: number): number => Math.max(8, 8 * Math.round((channels * width) / 8));
  const small = size < 128;
  const w = new NetworkWriter(seed);
  const [low, high] = [w.scalar(0), w.scalar(6)];

  const convNorm = (x: Signal, channels: number, conv: ConvOptions): Signal => w.batchNorm(w.conv(x, channels, conv));
  const relu6 = (x: Signal): Signal => w.map(x, "Clip", { inputs: [low, high], power: x.power / 2 });

  const block = (x: Signal, expansion: number, channels: number, stride: number): Signal => {
    const inner = x.channels * expansion;
    const wide = expansion === 1 ? x : relu6(convNorm(x, inner, { kernel: 1, gain: 1 }));
    const deep = relu6(convNorm(wide, inner, { stride, group: inner }));
    const out = convNorm(deep, channels, { kernel: 1 });
    return stride === 1 && x.channels === channels ? w.add(x, out) : out;
  };

  let h = relu6(convNorm(image(size), scaled(32), { stride: small ? 1 : 2, gain: 1 }));
  stages.forEach(([expansion, channels, blocks, stride], stage) => {
    for (let i = 0; i < blocks; i++) {
      h = block(h, expansion, scaled(channels), i > 0 || (small && stage === 1) ? 1 : stride);
    }
  });
  h = relu6(convNorm(h, scaled(1280), { kernel: 1, gain: 1 }));
  return w.finish({ opset: 11, shape: [batch, 3, size, size], logits: w.linear(w.globalPool(h), classes) });
}
