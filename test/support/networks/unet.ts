/**
 * A U-Net (Ronneberger et al. 2015, arXiv 1505.04597) with the parts of today's: GroupNormalization as PyTorch exports
 * it (Reshape, InstanceNormalization, Reshape, Mul, Add), SiLU and HardSwish, dilated convolutions at the bottom,
 * ConvTranspose of three forms, skips by Concat behind a Pad where sizes are odd, a class for every pixel.
 */
import type { ImageOptions, Network } from "./network.js";
import { type ConvOptions, image, NetworkWriter, type Signal } from "./network-writer.js";

export interface UnetOptions extends ImageOptions {
  /** Channels of the first level, a multiple of 4. */
  readonly width?: number;
}

/** Groups of every GroupNormalization. */
const groups = 4;

export function unet(options: UnetOptions = {}): Network {
  const { seed = 1, batch = 4, size = 30, classes = 5, width = 8 } = options;
  const w = new NetworkWriter(seed);
  const unitScale = w.constant("group.ones", [groups], new Float32Array(groups).fill(1));
  const zeroShift = w.constant("group.zeros", [groups], new Float32Array(groups));

  const groupNorm = (x: Signal): Signal => {
    const stem = w.fresh("gn");
    const grouped = w.op("Reshape", [x.name, w.ints([0, groups, -1])]);
    const normalised = w.op("InstanceNormalization", [grouped, unitScale, zeroShift], { epsilon: 1e-5 });
    const back = w.op("Reshape", [normalised, w.op("Shape", [x.name])]);
    const scaled = w.op("Mul", [back, w.parameter(`${stem}.scale`, [x.channels, 1, 1], 0.2, 1)]);
    return { ...x, power: 1, name: w.op("Add", [scaled, w.parameter(`${stem}.bias`, [x.channels, 1, 1], 0.1)]) };
  };
  const silu = (x: Signal): Signal => w.map(x, "Mul", { inputs: [w.op("Sigmoid", [x.name])], power: x.power / 2 });
  const hardSwish = (x: Signal): Signal => w.map(x, "HardSwish", { power: x.power / 2 });
  const layer = (x: Signal, channels: number, conv: ConvOptions, activation: (x: Signal) => Signal): Signal =>
    activation(groupNorm(w.conv(x, channels, conv)));
  const level = (x: Signal, channels: number, dilation = 1): Signal =>
    layer(layer(x, channels, { dilation }, silu), channels, { dilation }, hardSwish);

  /** Zeros below and to the right until the size is that of the skip. */
  const padded = (x: Signal, to: number): Signal => {
    const more = to - x.size;
    return more === 0 ? x : { ...w.map(x, "Pad", { inputs: [w.ints([0, 0, 0, 0, 0, 0, more, more])] }), size: to };
  };
  const mirrored = (x: Signal): Signal => ({
    ...w.map(x, "Pad", { inputs: [w.ints([0, 0, 1, 1, 0, 0, 1, 1])], attributes: { mode: "reflect" } }),
    size: x.size + 2,
  });

  const first = level(layer(mirrored(image(size)), width, { pad: 0, gain: 1 }, silu), width);
  const second = level(w.pool(first, "MaxPool", { kernel: 2, stride: 2 }), 2 * width);
  const third = level(layer(second, 2 * width, { stride: 2, bias: true }, silu), 4 * width);
  const bottom = level(w.pool(third, "AveragePool", { kernel: 2, stride: 2 }), 4 * width, 2);

  const merge = (x: Signal, skip: Signal): Signal => level(w.concat([padded(x, skip.size), skip]), skip.channels);
  const up3 = merge(w.convTranspose(bottom, 4 * width, { kernel: 2, stride: 2 }), third);
  const up2 = merge(w.convTranspose(up3, 2 * width, { kernel: 3, stride: 2, pad: 1 }), second);
  const up1 = merge(w.convTranspose(up2, width, { kernel: 4, stride: 2, pad: 1 }), first);
  const logits = w.conv(up1, classes, { kernel: 1, bias: true });
  return w.finish({ opset: 16, shape: [batch, 3, size, size], logits, pixels: [size, size] });
}
