/**
 * A vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929) in the form that PyTorch exports: patches by a Conv,
 * class token by Expand and Concat, LayerNormalization in parts, attention by MatMul and Softmax, GELU by Erf.
 */
import type { ImageOptions, Network } from "./network.js";
import { image, NetworkWriter } from "./network-writer.js";

export interface VitOptions extends ImageOptions {
  /** Pixels along a patch's side. */
  readonly patch?: number;
  readonly dim?: number;
  readonly depth?: number;
  readonly heads?: number;
}

export function vit(options: VitOptions = {}): Network {
  const { seed = 1, batch = 8, size = 32, classes = 10, patch = 4, dim = 48, depth = 12, heads = 4 } = options;
  const w = new NetworkWriter(seed);
  const tokens = (size / patch) ** 2 + 1;
  const headDim = dim / heads;
  const epsilon = w.scalar(1e-6);
  const two = w.scalar(2);

  const layerNorm = (x: string): string => {
    const stem = w.fresh("ln");
    const mean = (of: string): string => w.op("ReduceMean", [of, w.ints([-1])], { keepdims: 1 });
    const centred = w.op("Sub", [x, mean(x)]);
    const variance = mean(w.op("Pow", [centred, two]));
    const normalised = w.op("Div", [centred, w.op("Sqrt", [w.op("Add", [variance, epsilon])])]);
    const scaled = w.op("Mul", [normalised, w.parameter(`${stem}.scale`, [dim], 0.2, 1)]);
    return w.op("Add", [scaled, w.parameter(`${stem}.bias`, [dim], 0.1)]);
  };

  /** x · W + b with W [from, to]. */
  const dense = (x: string, from: number, to: number): string => {
    const stem = w.fresh("dense");
    const product = w.op("MatMul", [x, w.parameter(`${stem}.weight`, [from, to], 1 / Math.sqrt(from))]);
    return w.op("Add", [w.parameter(`${stem}.bias`, [to], 0.02), product]);
  };

  const attention = (x: string): string => {
    const split = w.op("Reshape", [dense(x, dim, 3 * dim), w.ints([0, tokens, 3, heads, headDim])]);
    const parts = w.op("Transpose", [split], { perm: [2, 0, 3, 1, 4] });
    const [q, k, v] = [0, 1, 2].map((i) => w.op("Gather", [parts, w.index(i)], { axis: 0 })) as [
      string,
      string,
      string,
    ];
    const scaled = w.op("Mul", [q, w.scalar(1 / Math.sqrt(headDim))]);
    const scores = w.op("MatMul", [scaled, w.op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
    const mixed = w.op("MatMul", [w.op("Softmax", [scores], { axis: -1 }), v]);
    const joined = w.op("Reshape", [w.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), w.ints([0, tokens, dim])]);
    return dense(joined, dim, dim);
  };

  const gelu = (x: string): string => {
    const erf = w.op("Erf", [w.op("Div", [x, w.scalar(Math.SQRT2)])]);
    return w.op("Mul", [w.op("Mul", [x, w.op("Add", [erf, w.scalar(1)])]), w.scalar(0.5)]);
  };

  const patches = w.conv(image(size), dim, { kernel: patch, stride: patch, pad: 0, bias: true, gain: 1 });
  const sequence = w.op("Transpose", [w.op("Reshape", [patches.name, w.ints([0, dim, tokens - 1])])], {
    perm: [0, 2, 1],
  });
  const samples = w.op("Gather", [w.op("Shape", ["x"]), w.ints([0])], { axis: 0 });
  const tokenShape = w.op("Concat", [samples, w.ints([1, dim])], { axis: 0 });
  const token = w.op("Expand", [w.parameter("class_token", [1, 1, dim], 1), tokenShape]);
  const whole = w.op("Concat", [token, sequence], { axis: 1 });
  let h = w.op("Add", [whole, w.parameter("position", [1, tokens, dim], 0.2)]);
  for (let block = 0; block < depth; block++) {
    h = w.op("Add", [h, attention(layerNorm(h))]);
    h = w.op("Add", [h, dense(gelu(dense(layerNorm(h), dim, 4 * dim)), 4 * dim, dim)]);
  }
  const first = w.op("Gather", [layerNorm(h), w.index(0)], { axis: 1 });
  const logits = w.linear({ name: first, channels: dim, size: 1, power: 1 }, classes, { biasDeviation: 0.02 });
  return w.finish({ opset: 18, shape: [batch, 3, size, size], logits });
}
