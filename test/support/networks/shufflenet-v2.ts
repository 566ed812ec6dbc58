/**
 * ShuffleNetV2 (Ma et al. 2018, arXiv 1807.11164): half of the channels passes by (Split, Concat), then channels are
 * shuffled by Reshape, Transpose, Reshape. The mean over pixels is a ReduceMean, as PyTorch exports it.
 */
import type { ImageOptions, Network } from "./network.js";
import { type ConvOptions, image, NetworkWriter, type Signal } from "./network-writer.js";

const repeats = [4, 8, 4] as const;

export interface ShuffleNetOptions extends ImageOptions {
  /** Channels of the first stage, even; each stage has twice those of the one before. */
  readonly width?: number;
}

export function shuffleNetV2(options: ShuffleNetOptions = {}): Network {
  const { seed = 1, batch = 8, size = 32, classes = 10, width = 16 } = options;
  const w = new NetworkWriter(seed);

  const convNorm = (x: Signal, channels: number, conv: ConvOptions): Signal => w.batchNorm(w.conv(x, channels, conv));
  const pointwise = (x: Signal, channels: number, gain: number): Signal =>
    w.relu(convNorm(x, channels, { kernel: 1, gain }));
  const depthwise = (x: Signal, stride: number): Signal => convNorm(x, x.channels, { stride, group: x.channels });
  const main = (x: Signal, channels: number, stride: number): Signal =>
    pointwise(depthwise(pointwise(x, channels, 2), stride), channels, 1);

  const shuffle = (x: Signal): Signal => {
    const { channels, size: pixels } = x;
    const paired = w.op("Reshape", [x.name, w.ints([0, 2, channels / 2, pixels, pixels])]);
    const swapped = w.op("Transpose", [paired], { perm: [0, 2, 1, 3, 4] });
    return { ...x, name: w.op("Reshape", [swapped, w.ints([0, channels, pixels, pixels])]) };
  };

  const unit = (x: Signal): Signal => {
    const half = x.channels / 2;
    const [left, right] = w
      .split("Split", [x.name], 2, { axis: 1, split: [half, half] })
      .map((name) => ({ ...x, name, channels: half })) as [Signal, Signal];
    return shuffle(w.concat([left, main(right, half, 1)]));
  };

  const downsampling = (x: Signal, channels: number): Signal =>
    shuffle(w.concat([pointwise(depthwise(x, 2), channels / 2, 1), main(x, channels / 2, 2)]));

  const stem = w.relu(convNorm(image(size), width / 2, { gain: 1 }));
  let h = w.pool(stem, "MaxPool", { kernel: 3, stride: 2, pad: 1 });
  repeats.forEach((units, stage) => {
    h = downsampling(h, width * 2 ** stage);
    for (let i = 1; i < units; i++) h = unit(h);
  });
  h = pointwise(h, 2 * h.channels, 2);
  const pooled = w.map(h, "ReduceMean", { attributes: { axes: [2, 3], keepdims: 0 } });
  return w.finish({ opset: 11, shape: [batch, 3, size, size], logits: w.linear(pooled, classes) });
}
