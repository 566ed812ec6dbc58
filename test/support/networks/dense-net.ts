/**
 * DenseNet-BC of depth 100 (Huang et al. 2017, arXiv 1608.06993): three blocks of 16 layers, each BatchNormalization,
 * ReLU, Conv 1x1, BatchNormalization, ReLU, Conv 3x3, its output concatenated to all before; AveragePool between.
 */
import type { ImageOptions, Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

export interface DenseNetOptions extends ImageOptions {
  /** Channels that each layer adds. */
  readonly growth?: number;
}

export function denseNet(options: DenseNetOptions = {}): Network {
  const { seed = 1, batch = 8, size = 32, classes = 10, growth = 4 } = options;
  const w = new NetworkWriter(seed);
  const normRelu = (x: Signal): Signal => w.relu(w.batchNorm(x));
  const layer = (x: Signal): Signal => {
    const narrow = w.conv(normRelu(x), 4 * growth, { kernel: 1 });
    return w.concat([x, w.conv(normRelu(narrow), growth)]);
  };
  const transition = (x: Signal): Signal => {
    const halved = w.conv(normRelu(x), Math.floor(x.channels / 2), { kernel: 1 });
    return w.pool(halved, "AveragePool", { kernel: 2, stride: 2 });
  };

  let h = w.conv(image(size), 2 * growth, { gain: 1 });
  for (let block = 0; block < 3; block++) {
    if (block > 0) h = transition(h);
    for (let i = 0; i < 16; i++) h = layer(h);
  }
  const logits = w.linear(w.globalPool(normRelu(h)), classes);
  return w.finish({ opset: 12, shape: [batch, 3, size, size], logits });
}
