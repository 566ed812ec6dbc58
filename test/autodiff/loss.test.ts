/** Losses against their formulas in float64, labels that are drawn, and which output is judged by which loss. */
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { differentiate } from "../../server/src/autodiff/differentiate.js";
import { type Offered, chooseLoss } from "../../server/src/autodiff/loss/choose.js";
import { losses } from "../../server/src/autodiff/loss/index.js";
import { extended } from "../../server/src/autodiff/plan.js";
import { GraphBuilder } from "../../server/src/graph/builder.js";
import { valueNames } from "../../server/src/graph/rebuild.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { plainKernels } from "../../server/src/runtime/kernels.js";
import { shapesOf } from "../../server/src/autodiff/trainable.js";
import { valueTypes } from "../../server/src/runtime/shapes.js";
import { graphModel, open, typesOf } from "../support/backward.js";
import { type GraphParts, model, node, normals, tensor, value, weight } from "../support/models.js";
import { relativeError, withSensitivity } from "../support/sensitivity.js";

type Nodes = GraphParts["nodes"];

interface Evaluated {
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly classAxis: number;
}

interface Site {
  readonly shape: readonly number[];
  /** From `x` to the output `y`; the identity by default. */
  readonly nodes?: Nodes;
  readonly opset?: number;
  readonly initializers?: NonNullable<GraphParts["initializers"]>;
}

/** A loss of `y` and its gradient by `x`. */
async function evaluated(
  { shape, nodes = [node("Identity", ["x"], ["y"])], opset = 21, initializers = [] }: Site,
  x: Float32Array,
  wanted: string,
  given: { readonly labels?: ort.Tensor; readonly targets?: ort.Tensor; readonly gumbel?: ort.Tensor },
  temperature = 1,
): Promise<Evaluated> {
  const inputs = [value("x", "float", shape)];
  const made = graphModel({ nodes, inputs, outputs: [value("y", "float", null)], initializers }, opset);
  const types = await typesOf(made);
  const offered = { labels: given.labels?.dims ?? null, targets: given.targets === undefined ? [] : [null] };
  const chosen = chooseLoss(made.graph, types, offered, wanted);
  const b = new GraphBuilder("loss/", valueNames(made.graph));
  const { value: output, classAxis } = chosen;
  const attached = chosen.loss.attach({ b, output, shape: chosen.shape, classAxis, temperature });
  const graph = extended(
    made.graph,
    b,
    attached.inputs.map((input) => input.value),
  );
  const all = await valueTypes({ ...made, graph }, shapesOf(graph, new Map()), 1);
  const options = { loss: attached.loss, by: ["x"], types: all, kernels: plainKernels, twice: false, prefix: "d/" };
  const { graph: whole, gradients } = differentiate(graph, options);
  const gradient = gradients.get("x")!;
  const program = await open(made, whole, [attached.loss, gradient]);
  try {
    const feeds: Record<string, ort.Tensor> = { x: new ort.Tensor("float32", x, [...shape]) };
    for (const input of attached.inputs) {
      const tensorOf = given[input.kind]!;
      expect(elementCount(input.value.shape)).toBe(tensorOf.size);
      feeds[input.value.name] = tensorOf.reshape([...input.value.shape]);
    }
    const result = await program.run(feeds);
    return {
      loss: (result[attached.loss]!.data as Float32Array)[0]!,
      gradient: result[gradient]!.data as Float32Array,
      classAxis,
    };
  } finally {
    await program.close();
  }
}

/** Cross-entropy in float64: the mean over all places of −log softmax(x / T)[label], and its gradient by x. */
function crossEntropy(
  x: Float32Array,
  shape: readonly number[],
  axis: number,
  labels: readonly number[],
  temperature = 1,
): { loss: number; gradient: number[] } {
  const classes = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const gradient = Array<number>(x.length).fill(0);
  let loss = 0;
  labels.forEach((label, place) => {
    const start = Math.floor(place / inner) * classes * inner + (place % inner);
    const at = (c: number): number => start + c * inner;
    const exponentials = Array.from({ length: classes }, (_, c) => Math.exp(x[at(c)]! / temperature));
    const sum = exponentials.reduce((a, b) => a + b);
    loss -= Math.log(exponentials[label]! / sum) / labels.length;
    exponentials.forEach((one, c) => {
      gradient[at(c)] = (one / sum - (c === label ? 1 : 0)) / (labels.length * temperature);
    });
  });
  return { loss, gradient };
}

/** Few float32 operations one after the other: a unit of rounding is 6e-8. */
const tolerance = 2e-6;

const numbers = (seed: number, shape: readonly number[]): Float32Array =>
  Float32Array.from(normals(seed, elementCount(shape)));
const classesOf = (count: number, classes: number): number[] =>
  Array.from({ length: count }, (_, i) => (5 * i + 3) % classes);
const integers = (values: readonly number[], shape: readonly number[]): ort.Tensor =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [...shape]);
const shapeOf = (name: string, shape: readonly number[]) => tensor(name, "int64", [shape.length], shape);

interface ClassSite extends Site {
  readonly title: string;
  readonly axis: number;
  readonly labels: readonly number[];
}

const classSites: readonly ClassSite[] = [
  { title: "scores of rank 2", shape: [4, 5], axis: 1, labels: [4] },
  { title: "one score a class, one sample", shape: [1, 5], axis: 1, labels: [1] },
  { title: "labels in a column", shape: [4, 5], axis: 1, labels: [4, 1] },
  { title: "a label per pixel, classes second", shape: [2, 3, 4, 5], axis: 1, labels: [2, 4, 5] },
  { title: "a label per pixel, classes last", shape: [2, 4, 5, 3], axis: 3, labels: [2, 4, 5] },
  { title: "a label per token", shape: [2, 6, 3], axis: 2, labels: [2, 6] },
  {
    title: "behind a Softmax",
    shape: [4, 5],
    axis: 1,
    labels: [4],
    nodes: [node("Softmax", ["x"], ["y"], { axis: -1 })],
  },
  {
    title: "behind a Softmax whose axis the labels' shape leaves open",
    shape: [2, 3, 3],
    axis: 2,
    labels: [2, 3],
    nodes: [node("Softmax", ["x"], ["y"], { axis: 2 })],
  },
  {
    title: "behind a LogSoftmax",
    shape: [4, 5],
    axis: 1,
    labels: [4],
    nodes: [node("LogSoftmax", ["x"], ["y"], { axis: 1 })],
  },
  {
    title: "behind a Softmax per pixel",
    shape: [2, 3, 4, 5],
    axis: 1,
    labels: [2, 4, 5],
    nodes: [node("Softmax", ["x"], ["y"], { axis: 1 })],
  },
  {
    title: "behind a Softmax that is reshaped",
    shape: [4, 1, 5],
    axis: 2,
    labels: [4],
    nodes: [
      node("Softmax", ["x"], ["p"], { axis: 2 }),
      node("Reshape", ["p", "to"], ["q"]),
      node("Identity", ["q"], ["y"]),
    ],
    initializers: [shapeOf("to", [4, 5])],
  },
  {
    title: "behind a Softmax of opset 9",
    shape: [4, 5, 1, 1],
    axis: 1,
    labels: [4],
    opset: 9,
    nodes: [node("Softmax", ["x"], ["y"])],
  },
];

describe("cross-entropy", () => {
  describe.each(classSites)("$title", ({ axis, labels: labelShape, ...site }) => {
    const x = numbers(1, site.shape);
    const labels = classesOf(elementCount(labelShape), site.shape[axis]!);

    it.each([1, 200])("is −log p(label), and (softmax − one-hot) / N by the scores, at temperature %d", async (t) => {
      const found = await evaluated(site, x, "cross-entropy", { labels: integers(labels, labelShape) }, t);
      const expected = crossEntropy(x, site.shape, axis, labels, t);
      expect(relativeError([found.loss], [expected.loss])).toBeLessThan(tolerance);
      expect(relativeError(found.gradient, expected.gradient)).toBeLessThan(tolerance);
    });
  });

  const [scores] = classSites;
  const x = numbers(2, scores!.shape);
  const largest = (of: Float32Array): number[] =>
    Array.from({ length: 4 }, (_, row) => {
      const part = [...of.subarray(5 * row, 5 * row + 5)];
      return part.indexOf(Math.max(...part));
    });

  it("takes the model's first choice as label", async () => {
    const found = await evaluated(scores!, x, "cross-entropy-argmax", {});
    const expected = crossEntropy(x, scores!.shape, 1, largest(x));
    expect(relativeError(found.gradient, expected.gradient)).toBeLessThan(tolerance);
  });

  it("takes the largest of score plus noise as a drawn label, whatever the temperature", async () => {
    const noise = numbers(3, scores!.shape);
    const gumbel = new ort.Tensor("float32", noise, [...scores!.shape]);
    const found = await evaluated(scores!, x, "cross-entropy-sampled", { gumbel }, 200);
    const drawn = largest(x.map((score, i) => score + noise[i]!));
    const expected = crossEntropy(x, scores!.shape, 1, drawn, 200);
    expect(relativeError(found.gradient, expected.gradient)).toBeLessThan(tolerance);
  });
});

describe("squares", () => {
  const shape = [3, 2, 2];
  const x = numbers(4, shape);
  const targets = numbers(5, shape);

  it("mse is mean (y − t)²", async () => {
    const found = await evaluated({ shape }, x, "mse", { targets: new ort.Tensor("float32", targets, shape) });
    const differences = Array.from(x, (y, i) => y - targets[i]!);
    const loss = differences.reduce((sum, d) => sum + d * d, 0) / x.length;
    expect(relativeError([found.loss], [loss])).toBeLessThan(tolerance);
    const gradient = differences.map((d) => (2 * d) / x.length);
    expect(relativeError(found.gradient, gradient)).toBeLessThan(tolerance);
  });

  it("half-mean-square is ½ mean y²", async () => {
    const found = await evaluated({ shape }, x, "half-mean-square", {});
    expect(relativeError([found.loss], [x.reduce((sum, y) => sum + y * y, 0) / 2 / x.length])).toBeLessThan(tolerance);
    const gradient = Array.from(x, (y) => y / x.length);
    expect(relativeError(found.gradient, gradient)).toBeLessThan(tolerance);
  });
});

describe("labels drawn from the model", () => {
  const samples = 4096;
  const scores = [0.5, -1, 2, 0];
  /** Class scores are the matrix [1, 4] itself, for every sample. */
  const made = model({
    graph: {
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      inputs: [value("x", "float", ["batch", 1])],
      outputs: [value("y", "float", ["batch", 4])],
      initializers: [tensor("w", "float", [1, 4], scores)],
    },
  });
  const ones = { x: { dtype: "float", shape: [samples, 1], values: new Float32Array(samples).fill(1) } } as const;
  const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
  const probabilities = scores.map((score) => Math.exp(score) / sum);

  /** How often each class was drawn: ∂L/∂w is its probability less its share of the labels. */
  const drawn = (seed: number, activationBytes = 1e9): Promise<number[]> =>
    withSensitivity(made, { data: ones, batch: samples, seed, activationBytes }, async (engine) => {
      const reduction = { perSample: false, temperature: 1 } as const;
      const [gradient] = await engine.gradients({ ...reduction, step: (_b, _w, g) => g, finish: (_b, _w, g) => g });
      return probabilities.map((p, c) => Math.round(samples * (p - gradient![c]!)));
    });

  it("have the softmax's distribution", async () => {
    for (const seed of [1, 2, 3]) {
      const counts = await drawn(seed);
      expect(counts.reduce((total, count) => total + count)).toBe(samples);
      const chiSquare = probabilities.reduce(
        (total, p, c) => total + (counts[c]! - samples * p) ** 2 / (samples * p),
        0,
      );
      // Three degrees of freedom: 16.3 is exceeded once in a thousand seeds.
      expect(chiSquare).toBeLessThan(16.3);
    }
  });

  it("are the same for a seed, in one run or in several, and others for another", async () => {
    const counts = await drawn(1);
    expect(await drawn(1)).toEqual(counts);
    // Two values [samples, 4] and [samples, 1] in float32, live twice: an eighth of the samples fits.
    expect(await drawn(1, (2 * 4 * samples * 5) / 8)).toEqual(counts);
    expect(await drawn(2)).not.toEqual(counts);
  });
});

/** Outputs: `scores` of a Gemm, `p` a Softmax of them, `image` of a Conv, `box:0` of a Sigmoid, `one` a single score. */
const several = graphModel({
  nodes: [
    node("Sigmoid", ["h"], ["box:0"]),
    node("Conv", ["i", "kernel"], ["image"]),
    node("Gemm", ["h", "w"], ["scores"]),
    node("Softmax", ["scores"], ["p"]),
    node("ReduceMean", ["h"], ["one"], { keepdims: 1 }),
    node("Shape", ["h"], ["size"]),
  ],
  inputs: [value("h", "float", [4, 6]), value("i", "float", [4, 1, 3, 3])],
  outputs: [
    ...["box:0", "image", "scores", "p", "one"].map((name) => value(name, "float", null)),
    value("size", "int64", null),
  ],
  initializers: [weight("w", [6, 5], 1), weight("kernel", [2, 1, 1, 1], 2)],
});
const nothing: Offered = { labels: null, targets: [] };

describe("choice", () => {
  it.each<[string, Offered, string | null, string, string, string]>([
    ["no data of its own", nothing, null, "cross-entropy-sampled", "scores", "scores"],
    ["labels", { ...nothing, labels: [4] }, null, "cross-entropy", "scores", "scores"],
    ["targets of no name", { ...nothing, targets: [null] }, null, "mse", "box:0", "box:0"],
    ["targets of one output", { ...nothing, targets: ["image"] }, null, "mse", "image", "image"],
    [
      "targets of an output, and labels",
      { labels: [4], targets: ["image"] },
      null,
      "cross-entropy",
      "scores",
      "scores",
    ],
    ["an output", nothing, ":image", "half-mean-square", "image", "image"],
    ["an output that is a softmax", nothing, ":p", "cross-entropy-sampled", "p", "scores"],
    ["an output with a colon", nothing, ":box:0", "half-mean-square", "box:0", "box:0"],
    ["a loss", nothing, "cross-entropy-argmax", "cross-entropy-argmax", "scores", "scores"],
    ["a loss without classes", nothing, "half-mean-square", "half-mean-square", "box:0", "box:0"],
    ["a loss of an output", nothing, "cross-entropy-argmax:p", "cross-entropy-argmax", "p", "scores"],
    [
      "classes of an output that is not known for them",
      nothing,
      "cross-entropy-sampled:image",
      "cross-entropy-sampled",
      "image",
      "image",
    ],
    ["a loss of an output with a colon", nothing, "half-mean-square:box:0", "half-mean-square", "box:0", "box:0"],
  ])("%s", async (_, offered, wanted, loss, output, read) => {
    const chosen = chooseLoss(several.graph, await typesOf(several), offered, wanted);
    expect([chosen.loss.id, chosen.output, chosen.value]).toEqual([loss, output, read]);
    expect(chosen.words).toMatch(new RegExp(`^Loss: .*, of output "${output}" \\[4, .*\\]\\.$`));
  });

  it.each<[string, Offered, string | null, string, string]>([
    [
      "no such loss",
      nothing,
      "hinge",
      "bad-request",
      `There is no loss "hinge". Choose one of: ${losses.map(({ id }) => id).join(", ")}.`,
    ],
    [
      "no such output",
      nothing,
      ":logits",
      "bad-request",
      'The model has no output "logits" for a loss. It has: "box:0", "image", "scores", "p", "one".',
    ],
    ["an output of integers", nothing, ":size", "bad-request", 'has no output "size" for a loss'],
    [
      "no labels",
      nothing,
      "cross-entropy",
      "missing-data",
      "The loss cross-entropy needs labels, and the data holds none.",
    ],
    ["no targets", nothing, "mse", "missing-data", 'The loss mse of "box:0" needs targets, and the data holds none.'],
    [
      "targets of another output",
      { ...nothing, targets: ["image"] },
      "mse:p",
      "missing-data",
      'The loss mse of "p" needs targets, and the data holds those of "image" only.',
    ],
    [
      "one class",
      nothing,
      "cross-entropy-argmax:one",
      "shape-mismatch",
      'Output "one" has shape [1, 1]: cross-entropy needs an axis of two classes or more.',
    ],
  ])("%s is an error", async (_, offered, wanted, code, words) => {
    const types = await typesOf(several);
    const choose = (): unknown => chooseLoss(several.graph, types, offered, wanted);
    expect(choose).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) as string }));
  });

  it("is an error where no output is a tensor of floats", async () => {
    const outputs = [value("size", "int64", [2])];
    const made = graphModel({
      nodes: [node("Shape", ["x"], ["size"])],
      inputs: [value("x", "float", [2, 3])],
      outputs,
    });
    const types = await typesOf(made);
    expect(() => chooseLoss(made.graph, types, nothing, null)).toThrow(
      expect.objectContaining({ code: "unsupported-op" }),
    );
  });
});
