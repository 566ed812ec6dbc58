/** Small networks that are written as ONNX, as a layers model and as a graph model. */
import { twin, type Twin, type TwinSignal, type TwinWriter } from "../../support/tfjs/twin.js";

export type TwinForm = "layers" | "graph";

export interface TwinCase {
  readonly name: string;
  /** What it is written as besides ONNX. */
  readonly forms: readonly TwinForm[];
  /** Its biases are put together from parts to fit ONNX' operator, so that the theory does not know them. */
  readonly turnedBias: boolean;
  /** Of the input as tfjs has it, without the batch. */
  readonly shape: readonly number[];
  readonly classes: number;
  readonly make: () => Promise<Twin>;
}

function twinCase(
  name: string,
  shape: readonly number[],
  classes: number,
  build: (w: TwinWriter, x: TwinSignal) => TwinSignal,
  { forms = ["layers", "graph"], turnedBias = false }: Partial<Pick<TwinCase, "forms" | "turnedBias">> = {},
): TwinCase {
  return {
    name,
    forms,
    turnedBias,
    shape,
    classes,
    make: () => twin(shape, (w, x) => w.dense(build(w, x), "logits", classes)),
  };
}

/** Convolution, BatchNormalization, activation. */
const block = (w: TwinWriter, x: TwinSignal, name: string, filters: number, stride = 1, kernel = 3): TwinSignal =>
  w.activation(w.batchNorm(w.conv(x, name, filters, { stride, kernel }), `${name}_bn`), `${name}_relu`, "relu");

const residual = (w: TwinWriter, x: TwinSignal, name: string, filters: number, stride: number): TwinSignal => {
  const branch = w.conv(block(w, x, `${name}_a`, filters, stride), `${name}_b`, filters);
  const shortcut = stride === 1 ? x : w.conv(x, `${name}_shortcut`, filters, { stride, kernel: 1 });
  return w.activation(w.add(w.batchNorm(branch, `${name}_b_bn`), shortcut, `${name}_add`), `${name}_out`, "relu");
};

const inverted = (w: TwinWriter, x: TwinSignal, name: string, stride: number): TwinSignal => {
  const wide = w.activation(
    w.batchNorm(w.conv(x, `${name}_expand`, 12, { kernel: 1 }), `${name}_expand_bn`),
    `${name}_6a`,
    "relu6",
  );
  const deep = w.activation(
    w.batchNorm(w.depthwise(wide, `${name}_depthwise`, { stride }), `${name}_depthwise_bn`),
    `${name}_6b`,
    "relu6",
  );
  const narrow = w.batchNorm(w.conv(deep, `${name}_project`, 6, { kernel: 1 }), `${name}_project_bn`);
  return stride === 1 ? w.add(x, narrow, `${name}_add`) : narrow;
};

export const twins: readonly TwinCase[] = [
  twinCase("MLP", [12], 5, (w, x) => {
    const first = w.activation(w.dense(x, "first", 16), "first_tanh", "tanh");
    return w.activation(w.dense(first, "second", 16), "second_tanh", "tanh");
  }),
  twinCase("CNN with BatchNormalization and Flatten", [8, 8, 3], 5, (w, x) => {
    const first = w.maxPool(block(w, x, "first", 6), "pool");
    return w.flatten(block(w, first, "second", 8, 2), "flat");
  }),
  twinCase("ResNet", [8, 8, 3], 5, (w, x) => {
    const stem = block(w, x, "stem", 6);
    const second = residual(w, residual(w, stem, "one", 6, 1), "two", 8, 2);
    return w.globalPool(residual(w, second, "three", 8, 1), "pool");
  }),
  twinCase("MobileNet", [8, 8, 3], 5, (w, x) => {
    const stem = w.conv(x, "stem", 6, { stride: 2 });
    const blocks = inverted(w, inverted(w, inverted(w, stem, "one", 1), "two", 2), "three", 1);
    return w.globalPool(w.activation(blocks, "last", "relu6"), "pool");
  }),
  twinCase("LSTM", [6, 4], 5, (w, x) => w.lstm(x, "memory", 8), { forms: ["layers"], turnedBias: true }),
];
