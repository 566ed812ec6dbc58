/** Networks of every kind whose paths are counted by hand: {@link PathNetwork}. */
import { PathNetwork, type PathSignal } from "../support/path-network.js";

export interface PathCase {
  readonly title: string;
  readonly make: (seed: number, whole?: boolean) => PathNetwork;
}

const network = (title: string, build: (n: PathNetwork) => PathSignal): PathCase => ({
  title,
  make: (seed, whole = false) => {
    const made = new PathNetwork(seed, whole);
    return made.output(build(made));
  },
});

export const pathCases: readonly PathCase[] = [
  network("a multilayer perceptron", (n) =>
    n.dense(n.map(n.dense(n.map(n.dense(n.input(5), 6), "Tanh"), 4, { gemm: true }), "Relu"), 3),
  ),
  network("convolutions with padding and strides, flattened into a dense layer", (n) => {
    const a = n.map(n.conv(n.input(2, 7), 3, { stride: 2 }), "Relu");
    return n.dense(n.flatten(n.conv(a, 2, { kernel: 2, pad: 0 })), 3, { gemm: true });
  }),
  network("taps that read nothing but padding", (n) => {
    const a = n.conv(n.input(3, 1), 3);
    return n.dense(n.flatten(n.conv(a, 2)), 2);
  }),
  network("grouped and depthwise convolutions", (n) => {
    const a = n.conv(n.input(4, 4), 4, { group: 2 });
    const b = n.conv(n.map(a, "Clip"), 4, { group: 4, stride: 2 });
    return n.dense(n.flatten(n.conv(b, 3, { kernel: 1, pad: 0 })), 2);
  }),
  network("residual branches", (n) => {
    const stem = n.conv(n.input(2, 4), 3);
    const first = n.join("Add", stem, n.conv(n.map(n.conv(stem, 2), "Relu"), 3));
    const second = n.join("Add", n.conv(first, 4, { kernel: 1, pad: 0, stride: 2 }), n.conv(first, 4, { stride: 2 }));
    return n.dense(n.flatten(n.map(second, "GlobalAveragePool", {}, 1)), 3);
  }),
  network("a difference, a maximum and a minimum of paths", (n) => {
    const x = n.input(5);
    const a = n.join("Sub", n.dense(x, 4), n.dense(x, 4));
    return n.dense(n.join("Min", n.join("Max", a, n.dense(x, 4)), n.dense(a, 4)), 2);
  }),
  network("parts beside each other", (n) => {
    const x = n.conv(n.input(2, 4), 3);
    const fire = n.concat(n.conv(x, 2, { kernel: 1, pad: 0 }), n.conv(x, 2));
    return n.conv(n.concat(x, fire), 2, { kernel: 1, pad: 0 });
  }),
  network("pools of every kind", (n) => {
    const a = n.pool(n.conv(n.input(2, 8), 3), "MaxPool");
    const b = n.pool(n.conv(a, 3), "AveragePool");
    return n.dense(n.flatten(n.map(n.conv(b, 3), "GlobalMaxPool", {}, 1)), 2);
  }),
  network("up again: nearest, linear and cubic, and a transposed convolution", (n) => {
    const a = n.upsample(n.conv(n.input(2, 2), 2), "nearest");
    const b = n.upsample(n.conv(a, 2), "linear");
    return n.convTranspose(n.conv(n.upsample(n.conv(b, 2), "cubic"), 4), 4, { group: 2 });
  }),
  network("channels that a scale of 0 ends", (n) => {
    const a = n.norm(n.conv(n.input(2, 4), 4), [1, 0, -0.5, 1e-20]);
    return n.conv(n.norm(n.conv(n.map(a, "Relu"), 3), [0, 2, 1e20]), 2);
  }),
  network("an Elman layer over five steps", (n) => n.dense(n.rnn(5, 3, 4), 2)),
];

/** A chain so deep that paths cannot be counted in float64. */
export const deepChain = (depth: number): PathCase =>
  network(`a chain of ${depth} layers`, (n) => {
    let x = n.input(6);
    for (let i = 0; i < depth; i++) x = n.map(n.dense(x, 6), "Tanh");
    return x;
  });
