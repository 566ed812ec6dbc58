/**
 * SqueezeNet 1.1 (Iandola et al. 2016, arXiv 1602.07360): Fire modules, MaxPool 3/2 that rounds sizes up, no
 * normalisation, classes by a Conv 1x1 and GlobalAveragePool.
 */
import type { ImageOptions, Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

/** Squeezed channels of each Fire module by stage; it puts out eight times as many. */
const stages = [
  [16, 16],
  [32, 32],
  [48, 48, 64, 64],
] as const;

export interface SqueezeNetOptions extends ImageOptions {
  /** Multiplies every number of channels. */
  readonly width?: number;
}

export function squeezeNet(options: SqueezeNetOptions = {}): Network {
  const { seed = 1, batch = 8, size = 66, classes = 10, width = 0.25 } = options;
  const w = new NetworkWriter(seed);
  const fire = (x: Signal, squeezed: number): Signal => {
    const narrow = w.relu(w.conv(x, squeezed, { kernel: 1, bias: true }));
    const wide = [1, 3].map((kernel) => w.relu(w.conv(narrow, 4 * squeezed, { kernel, bias: true })));
    return w.concat(wide);
  };

  let h = w.relu(w.conv(image(size), 64 * width, { stride: 2, pad: 0, bias: true, gain: 1 }));
  for (const modules of stages) {
    h = w.pool(h, "MaxPool", { kernel: 3, stride: 2, ceil: true });
    for (const squeezed of modules) h = fire(h, squeezed * width);
  }
  const logits = w.globalPool(w.relu(w.conv(h, classes, { kernel: 1, bias: true })));
  return w.finish({ opset: 11, shape: [batch, 3, size, size], logits });
}
