/**
 * Times the forms of a convolution's gradients against its forward pass, for layers of ResNet and MobileNet with batch 8:
 * what the order and the thresholds of the forms rest on. `node test/support/run-ts.mjs test/bench/conv-forms.ts [NAME]`
 * prints milliseconds of processor time on one thread, the least of five runs; `*` marks the form that is chosen.
 */
import { inputForms } from "../../server/src/autodiff/gradients/conv/input-gradient.js";
import { type Correlation, wShape, xShape, yShape } from "../../server/src/autodiff/gradients/conv/correlation.js";
import { weightForms } from "../../server/src/autodiff/gradients/conv/weight-gradient.js";
import { positive, withBegin } from "../../server/src/autodiff/window.js";
import { GraphBuilder, type Value } from "../../server/src/graph/builder.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { probeKernels } from "../../server/src/runtime/kernels.js";
import { open, tensorsOf } from "../support/backward.js";
import { normals } from "../support/models.js";

const batch = 8;

/** [channels, maps, length of both axes, taps, stride, groups] */
const layers: Readonly<Record<string, readonly [number, number, number, number, number, number]>> = {
  "ResNet 7x7 / 2": [3, 64, 224, 7, 2, 1],
  "ResNet 3x3 at 56": [64, 64, 56, 3, 1, 1],
  "ResNet 3x3 at 28": [128, 128, 28, 3, 1, 1],
  "ResNet 3x3 at 14": [256, 256, 14, 3, 1, 1],
  "ResNet 3x3 at 7": [512, 512, 7, 3, 1, 1],
  "ResNet 3x3 / 2 at 56": [128, 128, 56, 3, 2, 1],
  "ResNet 1x1 at 56": [64, 256, 56, 1, 1, 1],
  "ResNet 1x1 at 14": [1024, 256, 14, 1, 1, 1],
  "ResNet 1x1 at 7": [512, 2048, 7, 1, 1, 1],
  "ResNet 1x1 / 2 at 56": [256, 512, 56, 1, 2, 1],
  "MobileNet depthwise / 2 at 112": [96, 96, 112, 3, 2, 96],
  "MobileNet depthwise at 56": [144, 144, 56, 3, 1, 144],
  "MobileNet depthwise at 14": [384, 384, 14, 3, 1, 384],
  "ResNeXt 3x3 at 56": [128, 128, 56, 3, 1, 32],
};

type Shapes = Readonly<Record<string, readonly number[]>>;

function layer([inputs, outputs, length, taps, stride, group]: readonly [
  number,
  number,
  number,
  number,
  number,
  number,
]): Correlation {
  const both = (value: number): number[] => [value, value];
  const pad = taps >> 1;
  const output = Math.floor((length + 2 * pad - taps) / stride) + 1;
  const steps = {
    input: both(length),
    output: both(output),
    kernel: both(taps),
    strides: both(stride),
    dilations: both(1),
  };
  return { ...withBegin(steps, both(pad)), batch, group, channels: inputs / group, maps: outputs / group };
}

/** Milliseconds of processor time of one value. */
async function time(shapes: Shapes, make: (b: GraphBuilder) => Value): Promise<number> {
  const b = new GraphBuilder("", Object.keys(shapes));
  const wanted = make(b);
  const inputs = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: "float" as const, shape }));
  const graph = { name: "", path: "", parent: null, inputs, outputs: [], constants: b.constants, nodes: b.nodes };
  const model = {
    graph,
    irVersion: 10,
    opsets: new Map([["", 21]]),
    producer: "",
    docString: "",
    metadata: [],
    notes: [],
  };
  const program = await open(model, graph, [wanted]);
  const data = Object.entries(shapes).map(
    ([name, shape], i) => [name, Float32Array.from(normals(i + 1, elementCount(shape)))] as const,
  );
  const feeds = tensorsOf(graph, new Map(data));
  let least = Infinity;
  await program.run(feeds);
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    await program.run(feeds);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  await program.close();
  return least;
}

const means = { kernels: await probeKernels(1), twice: false };
for (const [name, numbers] of Object.entries(layers)) {
  if (!name.includes(process.argv[2] ?? "")) continue;
  const c = layer(numbers);
  const [x, w, dy] = [xShape(c), wShape(c), yShape(c)];
  const pads = [...c.begin, ...positive(c.end)];
  const words = { kernel_shape: c.kernel, strides: c.strides, pads, group: c.group };
  const forward = await time({ x, w }, (b) => b.op("Conv", ["x", "w"], words));
  const line = [`forward ${forward.toFixed(1)}`, "weight:"];
  for (const [i, form] of weightForms.filter(({ fits }) => fits(c, means)).entries()) {
    const spent = await time({ x, dy }, (b) => form.make(b, c, "x", "dy"));
    line.push(`${i === 0 ? "*" : ""}${form.name} ${spent.toFixed(1)}`);
  }
  line.push("input:");
  for (const [i, form] of inputForms.filter(({ fits }) => fits(c, means)).entries()) {
    const spent = await time({ w, dy }, (b) => form.make(b, c, "dy", "w", means));
    line.push(`${i === 0 ? "*" : ""}${form.name} ${spent.toFixed(1)}`);
  }
  console.log(name.padEnd(32), line.join("  "));
}
