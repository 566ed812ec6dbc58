/**
 * Residual networks (He et al. 2016, arXiv 1512.03385): the CIFAR form of depth 6n + 2 with basic blocks, and the
 * ImageNet form of depth 18 and 34 (basic blocks) and 50 to 152 (bottlenecks) with a MaxPool stem. Projection shortcuts
 * where the shape changes. The stable form divides every residual branch by √L, L being the number of additions (Hayou et al.
 * 2021, arXiv 2010.12859).
 */
import type { ImageOptions, Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

export interface ResnetOptions extends ImageOptions {
  readonly depth: 18 | 32 | 34 | 50 | 101 | 152;
  /** Channels of the first stage. */
  readonly width?: number;
  readonly stable?: boolean;
  readonly opset?: number;
}

const forms = {
  18: { stages: [2, 2, 2, 2], bottleneck: false, size: 224, width: 64, classes: 1000, batch: 8 },
  32: { stages: [5, 5, 5], bottleneck: false, size: 32, width: 8, classes: 10, batch: 32 },
  34: { stages: [3, 4, 6, 3], bottleneck: false, size: 224, width: 64, classes: 1000, batch: 8 },
  50: { stages: [3, 4, 6, 3], bottleneck: true, size: 224, width: 64, classes: 1000, batch: 8 },
  101: { stages: [3, 4, 23, 3], bottleneck: true, size: 224, width: 64, classes: 1000, batch: 8 },
  152: { stages: [3, 8, 36, 3], bottleneck: true, size: 224, width: 64, classes: 1000, batch: 8 },
} as const;

export function resnet(options: ResnetOptions): Network {
  const form = forms[options.depth];
  const { seed = 1, stable = false, opset = 13 } = options;
  const { size = form.size, width = form.width, classes = form.classes, batch = form.batch } = options;
  const w = new NetworkWriter(seed);
  const additions = form.stages.reduce((sum: number, blocks) => sum + blocks, 0);
  const branchScale = stable ? { name: w.scalar(1 / Math.sqrt(additions)), square: 1 / additions } : null;

  const stem = (x: Signal): Signal =>
    options.depth === 32
      ? w.relu(w.batchNorm(w.conv(x, width, { gain: 1 })))
      : w.pool(w.relu(w.batchNorm(w.conv(x, width, { kernel: 7, stride: 2, gain: 1 }))), "MaxPool", {
          kernel: 3,
          stride: 2,
          pad: 1,
        });

  const branch = (x: Signal, channels: number, stride: number): Signal => {
    if (!form.bottleneck) {
      const first = w.relu(w.batchNorm(w.conv(x, channels, { stride })));
      return w.batchNorm(w.conv(first, channels));
    }
    const narrow = w.relu(w.batchNorm(w.conv(x, channels / 4, { kernel: 1 })));
    const middle = w.relu(w.batchNorm(w.conv(narrow, channels / 4, { stride })));
    return w.batchNorm(w.conv(middle, channels, { kernel: 1 }));
  };

  const block = (x: Signal, channels: number, stride: number): Signal => {
    const f = branch(x, channels, stride);
    const scaled =
      branchScale === null ? f : w.map(f, "Mul", { inputs: [branchScale.name], power: f.power * branchScale.square });
    const same = stride === 1 && x.channels === channels;
    const shortcut = same ? x : w.batchNorm(w.conv(x, channels, { kernel: 1, stride }));
    // Behind an identity shortcut the sum is mostly positive: the trunk is the output of a ReLU.
    const power = same ? x.power + scaled.power / 2 : (shortcut.power + scaled.power) / 2;
    return { ...w.relu(w.add(scaled, shortcut)), power };
  };

  let h = stem(image(size));
  form.stages.forEach((blocks, stage) => {
    const channels = width * 2 ** stage * (form.bottleneck ? 4 : 1);
    for (let i = 0; i < blocks; i++) h = block(h, channels, stage > 0 && i === 0 ? 2 : 1);
  });
  return w.finish({ opset, shape: [batch, 3, size, size], logits: w.linear(w.globalPool(h), classes) });
}
