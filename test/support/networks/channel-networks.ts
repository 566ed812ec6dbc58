/**
 * Small networks whose channels are shared in the ways that real ones share them, one for each way. All of them run on
 * `x`; constants and statistics are random, so that no order of theirs can be mistaken for another.
 */
import { elementCount } from "../../../server/src/graph/tensor.js";
import { normals, wholes } from "../model-elements.js";
import { model, modelBytes, node } from "../model-builder.js";
import { tensor, value } from "../model-tensors.js";
import type { Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

type Bytes = Network["bytes"];

/** The model of what a network makes of a batch of two inputs of this shape. */
export const finished = (w: NetworkWriter, logits: Signal, shape: readonly number[], opset = 18): Bytes =>
  w.finish({ opset, shape: [2, ...shape], logits }).bytes;

const imageNet = (build: (w: NetworkWriter, x: Signal) => Signal, size = 8, opset = 18): Bytes => {
  const w = new NetworkWriter(7);
  return finished(w, build(w, image(size)), [3, size, size], opset);
};

/** VGG: pools, and a Flatten behind 4 x 4 pixels. */
export const vgg = (): Bytes =>
  imageNet((w, x) => {
    const a = w.relu(w.conv(x, 8, { bias: true }));
    const b = w.pool(w.relu(w.conv(a, 12, { bias: true })), "MaxPool", { kernel: 2, stride: 2 });
    const flat = { ...b, name: w.op("Flatten", [b.name]), channels: 12 * 16, size: 1 };
    return w.linear(w.relu(w.linear(flat, 16, { biasDeviation: 0.1 })), 5);
  });

/** The same where channels are the last axis: pixels lie before them when they are flattened. */
export const channelsLast = (): Bytes =>
  imageNet((w, x) => {
    const a = w.relu(w.conv(x, 8, { bias: true, stride: 2 }));
    const last = w.op("Transpose", [a.name], { perm: [0, 2, 3, 1] });
    const scaled = w.op("Mul", [last, w.parameter("scale", [8], 1)]);
    const flat = w.op("Reshape", [scaled, w.ints([0, -1])]);
    return w.linear({ ...a, name: flat, channels: 8 * 16, size: 1 }, 5);
  });

/** ResNeXt: a bottleneck in groups, and a projection. */
export const resnext = (): Bytes =>
  imageNet((w, x) => {
    const trunk = w.relu(w.batchNorm(w.conv(x, 16)));
    const narrow = w.relu(w.batchNorm(w.conv(trunk, 16, { kernel: 1 })));
    const middle = w.relu(w.batchNorm(w.conv(narrow, 24, { group: 4, bias: true })));
    const wide = w.batchNorm(w.conv(middle, 32, { kernel: 1 }));
    const projected = w.batchNorm(w.conv(trunk, 32, { kernel: 1 }));
    return w.linear(w.globalPool(w.relu(w.add(wide, projected))), 5);
  });

/** ResNet of bottlenecks: a block with a projection, one without. */
export const bottlenecks = (): Bytes =>
  imageNet((w, x) => {
    const stem = w.relu(w.batchNorm(w.conv(x, 8)));
    const branch = (from: Signal): Signal => {
      const narrow = w.relu(w.batchNorm(w.conv(from, 4, { kernel: 1 })));
      return w.batchNorm(w.conv(w.relu(w.batchNorm(w.conv(narrow, 6))), 16, { kernel: 1 }));
    };
    const first = w.relu(w.add(branch(stem), w.batchNorm(w.conv(stem, 16, { kernel: 1 }))));
    return w.linear(w.globalPool(w.relu(w.add(first, branch(first)))), 5);
  });

/** DenseNet: every layer reads all that came before it, a transition reads the whole block. */
export const denseBlock = (): Bytes =>
  imageNet((w, x) => {
    let h = w.conv(x, 8);
    for (let layer = 0; layer < 3; layer++) h = w.concat([h, w.conv(w.relu(w.batchNorm(h)), 4)]);
    const transition = w.conv(w.relu(w.batchNorm(h)), 10, { kernel: 1 });
    const next = w.concat([transition, w.conv(w.relu(w.batchNorm(transition)), 4)]);
    return w.linear(w.globalPool(w.relu(w.batchNorm(next))), 5);
  });

/** Inception: branches of several depths, one behind the other. */
export const inception = (): Bytes =>
  imageNet((w, x) => {
    const stem = w.relu(w.conv(x, 8, { bias: true }));
    const pooled = w.pool(stem, "MaxPool", { kernel: 3, stride: 1, pad: 1 });
    const branches = [
      w.relu(w.conv(stem, 8, { kernel: 1 })),
      w.relu(w.conv(w.relu(w.conv(stem, 4, { kernel: 1 })), 12)),
      w.conv(pooled, 4, { kernel: 1 }),
      stem,
    ];
    const joined = w.batchNorm(w.concat(branches));
    return w.linear(w.globalPool(w.relu(w.conv(joined, 16))), 5);
  });

/** A sum of what is concatenated and what is not: its channels stay in their part. */
export const sumOfParts = (): Bytes =>
  imageNet((w, x) => {
    const parts = w.concat([w.conv(x, 4), w.conv(x, 8)]);
    const whole = w.conv(x, 12, { bias: true });
    return w.linear(w.globalPool(w.relu(w.conv(w.relu(w.add(parts, whole)), 8))), 5);
  });

/** U-Net: down, up by ConvTranspose and by Resize, skips by Concat, a crop by Pad. */
export const uNet = (): Bytes =>
  imageNet((w, x) => {
    const top = w.relu(w.batchNorm(w.conv(x, 8)));
    const low = w.relu(w.batchNorm(w.conv(w.pool(top, "AveragePool", { kernel: 2, stride: 2 }), 12)));
    const up = w.convTranspose(low, 8, { kernel: 2, stride: 2 });
    const resized = w.op("Resize", [low.name, "", w.constant("scales", [4], Float32Array.of(1, 1, 2, 2))], {
      mode: "nearest",
    });
    const padded = w.op("Pad", [resized, w.ints([0, 0, 1, 1, 0, 0, -1, -1])]);
    const joined = w.concat([top, up, { ...low, name: padded, size: 8 }]);
    return w.linear(w.globalPool(w.relu(w.conv(joined, 8, { bias: true }))), 5);
  });

/** Squeeze and excitation: a gate of two layers that every channel is multiplied by. */
export const squeezeExcite = (): Bytes =>
  imageNet((w, x) => {
    const h = w.map(w.batchNorm(w.conv(x, 12)), "HardSwish");
    const mean = w.op("ReduceMean", [h.name, w.ints([2, 3])], { keepdims: 1 });
    const narrow = w.relu(w.conv({ ...h, name: mean, size: 1 }, 4, { kernel: 1, bias: true }));
    const gate = w.map(w.conv(narrow, 12, { kernel: 1, bias: true }), "Sigmoid");
    const gated = { ...h, name: w.op("Mul", [h.name, gate.name]) };
    return w.linear(w.globalPool(w.relu(w.conv(gated, 8))), 5);
  });

/** Norms over groups, in one operator and as exporters of older operator sets spell them out. */
export const groupNorms = (): Bytes =>
  imageNet(
    (w, x) => {
      const a = w.conv(x, 8, { bias: true });
      const normed = w.map(a, "GroupNormalization", {
        inputs: [w.parameter("g.scale", [8], 0.3, 1), w.parameter("g.bias", [8], 0.3)],
        attributes: { num_groups: 2 },
      });
      const b = w.conv(w.relu(normed), 12);
      const grouped = w.op("Reshape", [b.name, w.ints([0, 3, -1])]);
      const ones = w.constant("ones", [3], Float32Array.of(1, 1, 1));
      const zeros = w.constant("zeros", [3], Float32Array.of(0, 0, 0));
      const each = w.op("InstanceNormalization", [grouped, ones, zeros]);
      const back = w.op("Reshape", [each, w.op("Shape", [b.name])]);
      const scaled = w.op("Mul", [back, w.parameter("scale", [12, 1, 1], 0.3, 1)]);
      const shifted = { ...b, name: w.op("Add", [scaled, w.parameter("shift", [1, 12, 1, 1], 0.3)]) };
      const instance = w.map(w.conv(w.relu(shifted), 8), "InstanceNormalization", {
        inputs: [w.parameter("i.scale", [8], 0.3, 1), w.parameter("i.bias", [8], 0.3)],
      });
      return w.linear(w.globalPool(w.relu(instance)), 5);
    },
    8,
    21,
  );

/** Slopes of PRelu, powers and clips by channel, a layer whose weight is a Transpose away. */
export const slopes = (): Bytes =>
  imageNet((w, x) => {
    const a = w.conv(x, 8, { bias: true });
    const bent = w.map(a, "PRelu", { inputs: [w.parameter("slope", [8, 1, 1], 0.3)] });
    const scaled = w.map(bent, "Div", { inputs: [w.parameter("divisor", [1, 8, 1, 1], 0.2, 2)] });
    const least = w.map(scaled, "Max", { inputs: [w.parameter("least", [8, 1, 1], 0.5, -1)] });
    const pooled = w.globalPool(w.relu(w.conv(least, 8)));
    const turned = w.op("Transpose", [w.parameter("turned", [6, 8], 0.3)], { perm: [1, 0] });
    return w.linear(w.relu({ ...pooled, name: w.op("MatMul", [pooled.name, turned]), channels: 6 }), 5);
  });

/** MobileNet's middle: depthwise, with two outputs a channel, and a transposed one. */
export const depthwise = (): Bytes =>
  imageNet((w, x) => {
    const a = w.relu(w.batchNorm(w.conv(x, 8)));
    const spread = w.map(w.conv(a, 16, { group: 8, bias: true }), "Clip", {
      inputs: [w.scalar(0), w.scalar(6)],
    });
    const weight = w.parameter("up.weight", [16, 1, 2, 2], 0.5);
    const up = w.op("ConvTranspose", [spread.name, weight, w.parameter("up.bias", [16], 0.2)], {
      strides: [2, 2],
      kernel_shape: [2, 2],
      group: 16,
    });
    return w.linear(w.globalPool(w.conv({ ...spread, name: up, size: 16 }, 12, { kernel: 1 })), 5);
  });

/** A transposed convolution in groups. */
export const groupedUp = (): Bytes =>
  imageNet((w, x) => {
    const a = w.relu(w.conv(x, 12, { bias: true }));
    const weight = w.parameter("up.weight", [12, 4, 2, 2], 0.5);
    const up = w.op("ConvTranspose", [a.name, weight, w.parameter("up.bias", [8], 0.2)], {
      strides: [2, 2],
      kernel_shape: [2, 2],
      group: 2,
    });
    return w.linear(w.globalPool(w.relu(w.conv({ ...a, name: up, channels: 8, size: 16 }, 6))), 5);
  });

/** [batch, 12] through linear layers with residuals and norms over features. */
export const normedMlp = (): Bytes => {
  const w = new NetworkWriter(7);
  const norm = (x: Signal, name: string): Signal =>
    w.map(x, "LayerNormalization", {
      inputs: [w.parameter(`${name}.scale`, [x.channels], 0.3, 1), w.parameter(`${name}.bias`, [x.channels], 0.3)],
      attributes: { axis: -1 },
    });
  const start = w.linear({ name: "x", channels: 12, size: 1, power: 1 }, 16, { biasDeviation: 0.1 });
  const block = (x: Signal, name: string): Signal =>
    w.add(x, w.linear(w.relu(w.linear(norm(x, name), 24, { biasDeviation: 0.1 })), 16));
  return finished(w, w.linear(norm(block(block(start, "a"), "b"), "c"), 5), [12]);
};

/** A block of a transformer whose queries, keys and values are layers of their own: heads of 4 channels. */
export const transformer = (): Bytes => {
  const w = new NetworkWriter(7);
  const dense = (x: string, from: number, to: number): string => {
    const stem = w.fresh("dense");
    const product = w.op("MatMul", [x, w.parameter(`${stem}.weight`, [from, to], 1 / Math.sqrt(from))]);
    return w.op("Add", [product, w.parameter(`${stem}.bias`, [to], 0.1)]);
  };
  const heads = (x: string, perm: readonly number[]): string =>
    w.op("Transpose", [w.op("Reshape", [dense(x, 8, 8), w.ints([0, 0, 2, 4])])], { perm });
  const norm = (x: string, name: string): string =>
    w.op("LayerNormalization", [x, w.parameter(`${name}.scale`, [8], 0.3, 1), w.parameter(`${name}.bias`, [8], 0.3)]);
  const embedded = dense("x", 6, 8);
  const h = norm(embedded, "first");
  const scores = w.op("MatMul", [heads(h, [0, 2, 1, 3]), heads(h, [0, 2, 3, 1])]);
  const mixed = w.op("MatMul", [w.op("Softmax", [scores], { axis: -1 }), heads(h, [0, 2, 1, 3])]);
  const joined = w.op("Reshape", [w.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }), w.ints([0, 0, 8])]);
  const middle = w.op("Add", [embedded, dense(joined, 8, 8)]);
  const hidden = w.op("Gelu", [dense(norm(middle, "second"), 8, 16)]);
  const end = norm(w.op("Add", [middle, dense(hidden, 16, 8)]), "third");
  const mean = w.op("ReduceMean", [end, w.ints([1])], { keepdims: 0 });
  return finished(w, w.linear({ name: mean, channels: 8, size: 1, power: 1 }, 5), [5, 6], 20);
};

/** LSTM with peepholes, a bidirectional GRU and an RNN, one behind the other, then a Gemm on the last state. */
export const recurrent = (): Bytes => {
  const w = new NetworkWriter(7);
  const layer = (op: string, x: string, gates: number, from: number, to: number, directions = 1): readonly string[] => {
    const stem = w.fresh(op.toLowerCase());
    const parameter = (name: string, shape: readonly number[]): string =>
      w.parameter(`${stem}.${name}`, [directions, ...shape], 0.4);
    const inputs = [
      x,
      parameter("w", [gates * to, from]),
      parameter("r", [gates * to, to]),
      parameter("b", [2 * gates * to]),
    ];
    if (op === "LSTM") inputs.push("", "", "", parameter("p", [3 * to]));
    return w.split(op, inputs, 2, {
      hidden_size: to,
      ...(directions === 2 ? { direction: "bidirectional" } : {}),
      ...(op === "GRU" ? { linear_before_reset: 1 } : {}),
    });
  };
  const sequence = w.op("Transpose", ["x"], { perm: [1, 0, 2] });
  const first = w.op("Squeeze", [layer("LSTM", sequence, 4, 6, 8)[0]!, w.ints([1])]);
  const both = w.op("Transpose", [layer("GRU", first, 3, 8, 4, 2)[0]!], { perm: [0, 2, 1, 3] });
  const joined = w.op("Reshape", [both, w.ints([0, 0, -1])]);
  const last = w.op("Squeeze", [layer("RNN", joined, 1, 8, 8)[1]!, w.ints([0])]);
  return finished(w, w.linear({ name: last, channels: 8, size: 1, power: 1 }, 5), [5, 6]);
};

/** A shuffle of channels between two convolutions in groups. */
export const shuffle = (): Bytes =>
  imageNet((w, x) => {
    const a = w.relu(w.conv(x, 8, { bias: true }));
    const grouped = w.conv(w.relu(w.conv(a, 12)), 12, { group: 3 });
    const apart = w.op("Reshape", [grouped.name, w.ints([0, 3, 4, 8, 8])]);
    const turned = w.op("Transpose", [apart], { perm: [0, 2, 1, 3, 4] });
    const back = w.op("Reshape", [turned, w.ints([0, 12, 8, 8])]);
    const next = w.conv({ ...grouped, name: back }, 12, { group: 3 });
    return w.linear(w.globalPool(w.relu(w.conv(next, 8))), 5);
  });

/** Convolutions on int8, scales and zero points of every channel, as ONNX Runtime's quantiser writes them. */
export const quantisedConvs = (): Bytes => {
  const initialisers: ReturnType<typeof tensor>[] = [];
  const nodes: ReturnType<typeof node>[] = [];
  const add = (...of: Parameters<typeof tensor>): string => {
    initialisers.push(tensor(...of));
    return of[0];
  };
  let at = "x";
  const layer = (name: string, from: number, to: number): void => {
    const scale = add(
      `${name}.scale`,
      "float",
      [to],
      normals(from, to, 0.002).map((one) => 0.01 + Math.abs(one)),
    );
    const zero = add(`${name}.zero`, "int8", [to], wholes(to, to, -3, 3));
    const weight = add(`${name}.weight`, "int8", [to, from, 3, 3], wholes(to + from, to * from * 9, -90, 90));
    const bias = add(`${name}.bias`, "float", [to], normals(to + 1, to, 0.1));
    const step = add(`${name}.step`, "float", [], [0.05]);
    const point = add(`${name}.point`, "uint8", [], [120]);
    nodes.push(
      node("DequantizeLinear", [weight, scale, zero], [`${name}.w`], { axis: 0 }),
      node("Conv", [at, `${name}.w`, bias], [`${name}.y`], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
      node("Relu", [`${name}.y`], [`${name}.r`]),
      node("QuantizeLinear", [`${name}.r`, step, point], [`${name}.q`]),
      node("DequantizeLinear", [`${name}.q`, step, point], [`${name}.d`]),
    );
    at = `${name}.d`;
  };
  layer("a", 3, 8);
  layer("b", 8, 12);
  layer("c", 12, 8);
  nodes.push(node("ReduceMean", [at], ["y"], { axes: [2, 3], keepdims: 0 }));
  return modelBytes(
    model({
      opset: 17,
      graph: {
        nodes,
        inputs: [value("x", "float", ["batch", 3, 6, 6])],
        outputs: [value("y", "float", ["batch", 8])],
        initializers: initialisers,
      },
    }),
  );
};

/** The same network with its weights stored in other element types, behind Casts, one of them in a Constant node. */
export const narrowTypes = (): Bytes => {
  const shapes = { a: [12, 6], b: [16, 12], c: [5, 16] } as const;
  const types = { a: "float16", b: "bfloat16", c: "double" } as const;
  const weights = (Object.keys(shapes) as (keyof typeof shapes)[]).map((name, i) =>
    tensor(name, types[name], shapes[name], normals(i, elementCount(shapes[name]), 0.4)),
  );
  const gemm = (name: string, from: string, to: string): ReturnType<typeof node>[] => [
    node("Cast", [name], [`${name}.wide`], { to: 1 }),
    node("Gemm", [from, `${name}.wide`, ...(name === "a" ? ["bias"] : [])], [to], { transB: 1 }),
  ];
  return modelBytes(
    model({
      opset: 17,
      graph: {
        nodes: [
          node("Constant", [], ["b"], { value: weights[1]! }),
          ...gemm("a", "x", "h1"),
          node("Tanh", ["h1"], ["t1"]),
          ...gemm("b", "t1", "h2"),
          node("Tanh", ["h2"], ["t2"]),
          ...gemm("c", "t2", "y"),
        ],
        inputs: [value("x", "float", ["batch", 6])],
        outputs: [value("y", "float", ["batch", 5])],
        initializers: [weights[0]!, weights[2]!, tensor("bias", "float", [12], normals(9, 12, 0.4))],
      },
    }),
  );
};
