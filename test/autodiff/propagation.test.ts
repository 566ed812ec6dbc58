/** Propagation against a plain forward and backward pass in float64; runs, masks and layers that are left out. */
import { describe, expect, it } from "vitest";
import {
  type MeasuredLayer,
  type MeasuredPropagation,
  measurePropagation,
} from "../../server/src/autodiff/propagation.js";
import {
  convNet,
  cutOff,
  mlp,
  model,
  node,
  normals,
  recurrent,
  type TestModel,
  tensor,
  value,
} from "../support/models.js";
import { fixedBatch, floats, labels, type ScoreOptions, withSensitivity } from "../support/sensitivity.js";

const widths = [6, 9, 5, 7, 4];
const samples = 12;
const x = floats([samples, widths[0]!], 3);
const data = { x, labels: labels(samples, 4) };

interface Layer {
  /** [out][in]. */
  readonly rows: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

const layers: readonly Layer[] = widths.slice(1).map((outputs, l) => {
  const inputs = widths[l]!;
  const elements = normals(10 + l, outputs * inputs, 1.2 / Math.sqrt(inputs)).map(Math.fround);
  return {
    rows: Array.from({ length: outputs }, (_, i) => elements.slice(i * inputs, (i + 1) * inputs)),
    bias: normals(20 + l, outputs, 0.3).map(Math.fround),
  };
});

/** Gemm with its bias inside, tanh; MatMul and Add, ReLU; the same once more without an activation at the end. */
function network(scale = 1): TestModel {
  const nodes = layers.flatMap((_, l) => {
    const [input, sum, out] = [l === 0 ? "x" : `h${l}`, `s${l}`, l === layers.length - 1 ? "y" : `h${l + 1}`];
    const act = node(l % 2 === 0 ? "Tanh" : "Relu", [sum], [out]);
    const end = l === layers.length - 1;
    if (l % 2 === 0) return [node("Gemm", [input, `w${l}`, `b${l}`], [sum], { transB: 1 }), act];
    return [
      node("MatMul", [input, `w${l}`], [`p${l}`]),
      node("Add", [`b${l}`, `p${l}`], [end ? out : sum]),
      ...(end ? [] : [act]),
    ];
  });
  const initializers = layers.flatMap(({ rows, bias }, l) => {
    const [outputs, inputs] = [rows.length, rows[0]!.length];
    const transposed = Array.from({ length: inputs }, (_, j) => rows.map((row) => row[j]!)).flat();
    const numbers = (l % 2 === 0 ? rows.flat() : transposed).map((w) => scale * w);
    return [
      tensor(`w${l}`, "float", l % 2 === 0 ? [outputs, inputs] : [inputs, outputs], numbers),
      tensor(`b${l}`, "float", [outputs], bias),
    ];
  });
  return model({
    graph: {
      nodes,
      inputs: [value("x", "float", ["batch", widths[0]!])],
      outputs: [value("y", "float", ["batch", widths.at(-1)!])],
      initializers,
    },
  });
}

const activations = [
  { value: Math.tanh, slope: (u: number) => 1 - Math.tanh(u) ** 2 },
  { value: (u: number) => Math.max(0, u), slope: (u: number) => (u > 0 ? 1 : 0) },
];

/** The same with numbers. */
function reference(): Omit<MeasuredLayer, "previous" | "direct">[] {
  const square = (vector: readonly number[]): number => vector.reduce((sum, one) => sum + one * one, 0);
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, one, i) => sum + one * b[i]!, 0);
  const passes = Array.from({ length: samples }, (_, s) => {
    let h: number[] = Array.from({ length: widths[0]! }, (_, j) => Number(x.values[s * widths[0]! + j]!));
    const trail = layers.map(({ rows, bias }, l) => {
      const input = h;
      const sum = rows.map((row, i) => dot(row, input) + bias[i]!);
      h = l === layers.length - 1 ? sum : sum.map(activations[l % 2]!.value);
      return { input, sum };
    });
    const exponentials = h.map(Math.exp);
    const total = exponentials.reduce((a, b) => a + b, 0);
    let delta = exponentials.map((e, i) => e / total - (BigInt(i) === data.labels.values[s] ? 1 : 0));
    const deltas = [delta];
    for (let l = layers.length - 1; l > 0; l--) {
      const { rows } = layers[l]!;
      const { sum } = trail[l - 1]!;
      const back = sum.map((_, j) => delta.reduce((all, one, i) => all + one * rows[i]![j]!, 0));
      delta = back.map((one, j) => one * activations[(l - 1) % 2]!.slope(sum[j]!));
      deltas.unshift(delta);
    }
    return { trail, deltas };
  });
  return layers.map((_, l) => {
    const sums = passes.map(({ trail }) => trail[l]!.sum);
    const pairs = sums.flatMap((a, i) => sums.slice(i + 1).map((b) => dot(a, b) / Math.sqrt(square(a) * square(b))));
    const mean = (of: (pass: (typeof passes)[number]) => number): number =>
      passes.reduce((all, pass) => all + of(pass), 0) / samples;
    return {
      input: mean(({ trail }) => square(trail[l]!.input) / trail[l]!.input.length),
      q: mean(({ trail }) => square(trail[l]!.sum) / trail[l]!.sum.length),
      c: pairs.reduce((a, b) => a + b, 0) / pairs.length,
      gradient: mean(({ deltas }) => square(deltas[l]!)),
    };
  });
}

const measured = (
  made: TestModel,
  options: ScoreOptions,
  weights?: readonly (Float32Array | null)[],
): Promise<MeasuredPropagation> => withSensitivity(made, options, (_, input) => measurePropagation(input, weights));

/** float32 sums of a few hundred terms; tanh is good to 1e-7 in ONNX Runtime. */
const tolerance = 1e-5;

function expectLayers(
  found: MeasuredPropagation,
  expected: readonly Omit<MeasuredLayer, "previous" | "direct">[],
): void {
  expect(found.layers).toHaveLength(expected.length);
  found.layers.forEach((layer, l) => {
    const other = expected[l]!;
    for (const key of ["input", "q", "gradient"] as const)
      expect(Math.abs(layer![key]! / other[key]! - 1), `${key} of layer ${l}`).toBeLessThan(tolerance);
    expect(Math.abs(layer!.c! - other.c!), `c of layer ${l}`).toBeLessThan(tolerance);
  });
}

describe("a small network", () => {
  it("has the float64 figures, each layer's gains to the one before", async () => {
    const found = await measured(network(), { data });
    expectLayers(found, reference());
    expect(found.layers.map((layer) => layer?.previous)).toEqual([null, 0, 1, 2]);
    expect(found.layers.map((layer) => layer?.direct)).toEqual([false, true, true, true]);
    expect(found.batchNorm).toBeNull();
  });

  it("has them in several runs, down to one sample each", async () => {
    for (const activationBytes of [3000, 1])
      expectLayers(await measured(network(), { data, activationBytes }), reference());
    for (const batch of [1, 4]) expectLayers(await measured(fixedBatch(network(), batch), { data }), reference());
  });

  it("is measured with other weights in their place", async () => {
    const half = await withSensitivity(network(), { data }, async (engine, input) => {
      const weights = await Promise.all(input.weights.map((_, i) => engine.elements(i)));
      return measurePropagation(
        input,
        weights.map((elements, i) => (i === 0 ? null : elements.map((w) => w / 2))),
      );
    });
    const stored = await measured(network(0.5), { data });
    const whole = reference();
    expect(half.layers[0]!.q! / whole[0]!.q!).toBeCloseTo(1, 4);
    // All others differ from a model of halved weights by the first layer only: its sum before the bias is twice as large.
    expect(half.layers[1]!.q).not.toBeCloseTo(stored.layers[1]!.q!, 4);
    const all = await withSensitivity(network(), { data }, async (engine, input) => {
      const weights = await Promise.all(input.weights.map((_, i) => engine.elements(i)));
      return measurePropagation(
        input,
        weights.map((elements) => elements.map((w) => w / 2)),
      );
    });
    expect(all.layers).toEqual(stored.layers);
  });
});

describe("scales", () => {
  /** Without biases q goes with the square of the input, and with what is multiplied on the way. */
  it.each([1e-16, 1e16])("of %s leave float32's range when squared, and are measured", async (scale) => {
    const linear = (factor: number): Promise<MeasuredPropagation> =>
      measured(mlp({ widths: [6, 8, 4] }), {
        data: { x: { ...x, values: Float32Array.from(x.values as Float32Array, (one) => factor * one) } },
        loss: "half-mean-square",
        batch: 12,
      });
    const [one, scaled] = [await linear(1), await linear(scale)];
    scaled.layers.forEach((layer, l) => {
      const { q, c } = one.layers[l]!;
      expect(Math.abs(layer!.q! / q! / scale ** 2 - 1)).toBeLessThan(tolerance);
      expect(Math.abs(layer!.c! - c!)).toBeLessThan(tolerance);
    });
  });

  it("of nothing at all are 0, without correlations", async () => {
    const zeros = { x: { ...x, values: new Float32Array(x.values.length) } };
    const { layers: found } = await measured(mlp({ widths: [6, 8, 4] }), { data: zeros });
    for (const layer of found) expect(layer).toMatchObject({ input: 0, q: 0, c: null });
  });

  it("that overflow are null, with a note", async () => {
    const huge = { x: { ...x, values: new Float32Array(x.values.length).fill(3e38) } };
    const { layers: found, notes } = await measured(mlp({ widths: [6, 8, 8, 4] }), { data: huge });
    expect(found.some((layer) => layer!.q === null)).toBe(true);
    expect(notes.join(" ")).toContain("overflow float32");
    for (const layer of found)
      for (const number of Object.values(layer!))
        if (typeof number === "number") expect(Number.isFinite(number)).toBe(true);
  });
});

describe("one sample", () => {
  it("correlates with none", async () => {
    const { layers: found, notes } = await measured(mlp(), { batch: 1 });
    expect(found.map((layer) => layer?.c)).toEqual([null, null]);
    expect(notes).toContain("There is one sample, so that no two can be correlated.");
  });
});

describe("paths", () => {
  it("lead through a block's sum to the last layer before, and are no plain step there", async () => {
    const { layers: found, batchNorm } = await measured(convNet(), { batch: 32 });
    expect(batchNorm).toBe("batch");
    expect(found.map((layer) => layer?.previous)).toEqual([null, 0, 1]);
    expect(found.map((layer) => layer?.direct)).toEqual([false, false, false]);
  });

  it("measure pre-activations in front of a norm, in either mode the same where nothing lies before them", async () => {
    const batch = await measured(convNet(), { batch: 32, batchNorm: "batch" });
    const stored = await measured(convNet(), { batch: 32, batchNorm: "stored" });
    expect([batch.batchNorm, stored.batchNorm]).toEqual(["batch", "stored"]);
    expect(batch.layers[0]!.q! / stored.layers[0]!.q!).toBeCloseTo(1, 5);
    // The input of the second layer is normalised in one of them: the ReLU of mean 0 and variance 1 has mean square 1/2.
    expect(batch.layers[1]!.input).toBeCloseTo(0.5, 1);
    expect(Math.abs(stored.layers[1]!.input! / batch.layers[1]!.input! - 1)).toBeGreaterThan(0.1);
    // A gradient by what is normalised is free of the normalised directions, and so smaller or larger by the scale.
    expect(batch.layers[0]!.gradient).not.toBeCloseTo(stored.layers[0]!.gradient!, 6);
  });

  it("leave out recurrent layers, whose sums are many", async () => {
    const { layers: found } = await measured(recurrent("LSTM"), { batch: 4 });
    expect(found.every((layer) => layer === null)).toBe(true);
  });

  it("have no gradient behind an operator without one, and the rest all the same", async () => {
    const { layers: found, notes } = await measured(cutOff(), { batch: 4 });
    expect(found[0]!.gradient).toBeNull();
    expect(found[0]!.q).toBeGreaterThan(0);
    expect(found[1]!.gradient).toBeGreaterThan(0);
    expect(notes.join(" ")).toContain("LpPool");
  });
});
