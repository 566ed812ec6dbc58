/**
 * The forms of a convolution's gradients against sums in float64, over the shapes of all cases of Conv: a form must be
 * right wherever it says that it fits, and each must be the one that is chosen somewhere.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Cotangents } from "../../server/src/autodiff/cotangents.js";
import { correlationOf } from "../../server/src/autodiff/gradients/conv.js";
import { type Correlation, wShape, xShape, yShape } from "../../server/src/autodiff/gradients/conv/correlation.js";
import { inputForms } from "../../server/src/autodiff/gradients/conv/input-gradient.js";
import { weightForms } from "../../server/src/autodiff/gradients/conv/weight-gradient.js";
import { NodeSite } from "../../server/src/autodiff/site.js";
import { GraphBuilder } from "../../server/src/graph/builder.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { type Kernels, plainKernels, probeKernels } from "../../server/src/runtime/kernels.js";
import type { Feeds } from "../../server/src/runtime/program.js";
import { conv } from "../cases/gradients/conv.js";
import type { GradientCase } from "../cases/gradients/case.js";
import { open, tensorsOf, typesOf } from "../support/backward.js";
import { checkGradient, readCase } from "../support/gradient-check.js";
import { normals } from "../support/models.js";

const cases = conv.filter(({ op }) => op === "Conv");
let kernels: Kernels = plainKernels;
const correlations = new Map<GradientCase, Correlation>();

beforeAll(async () => {
  kernels = await probeKernels(1);
  for (const one of cases) correlations.set(one, await correlation(one));
});

describe.each(cases)("$title", (one) => {
  it("every form that fits is the gradient", async () => {
    const c = correlations.get(one)!;
    const shapes = { x: xShape(c), w: wShape(c), dy: yShape(c) };
    const data = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => [name, Float32Array.from(normals(i + 1, elementCount(shape)))]),
    );
    const b = new GraphBuilder("", Object.keys(shapes));
    const means = { kernels, twice: false };
    const ofWeight = weightForms.filter(({ fits }) => fits(c, means));
    const ofInput = inputForms.filter(({ fits }) => fits(c, means));
    const made = [
      ...ofWeight.map(({ name, make }) => ({ name, of: "w" as const, value: make(b, c, "x", "dy") })),
      ...ofInput.map(({ name, make }) => ({ name, of: "x" as const, value: make(b, c, "dy", "w", means) })),
    ];
    const expected = gradients(c, data as Arrays);
    const results = await run(
      b,
      shapes,
      data,
      made.map(({ value }) => value),
    );
    for (const { name, of, value } of made) {
      const { dims, data: found } = results[value]!;
      expect(dims, name).toEqual(shapes[of]);
      const { sums, sizes, terms } = expected[of];
      // A float32 sum of n terms is off by less than n roundings of the sum of their magnitudes; one more for each product.
      const wrong = sums.findIndex(
        (sum, i) => !(Math.abs((found as Float32Array)[i]! - sum) <= (terms + 1) * 2 ** -24 * sizes[i]!),
      );
      expect(wrong, `${name}, first wrong element`).toBe(-1);
    }
  });
});

it("chooses every form for some case", () => {
  const means = { kernels, twice: false };
  const chosen = new Set<string>();
  for (const c of correlations.values()) {
    for (const used of [means, { kernels: plainKernels, twice: false }])
      for (const forms of [weightForms, inputForms]) chosen.add(forms.find(({ fits }) => fits(c, used))!.name);
  }
  const usable = [...weightForms, ...inputForms].filter(
    ({ name }) => kernels.nchwc !== null || !name.startsWith("blocked"),
  );
  expect([...chosen].sort()).toEqual(usable.map(({ name }) => name).sort());
});

it("uses no kernel without a rule where the gradient is differentiated again", () => {
  const means = { kernels: { nchwc: 1 }, twice: true };
  for (const c of correlations.values())
    for (const forms of [weightForms, inputForms])
      expect(forms.find(({ fits }) => fits(c, means))!.name).not.toMatch(/^blocked/);
});

it.each(cases.filter(({ attributes }) => attributes?.["group"] !== undefined))(
  "the rule with the kernels of this processor: $title",
  async (one) => {
    for (const { analytic, numeric, tolerance } of await checkGradient(one, { order: 1, kernels }))
      expect(Math.abs(analytic - numeric), `${analytic} is not ${numeric}`).toBeLessThanOrEqual(tolerance);
  },
);

async function correlation(one: GradientCase): Promise<Correlation> {
  const model = readCase(one);
  const { graph } = model;
  const types = await typesOf(model);
  const b = new GraphBuilder("", []);
  const circumstances = { types, kernels, twice: false };
  return correlationOf(new NodeSite(graph.nodes[0]!, graph, b, new Cotangents(b, types), [], circumstances));
}

async function run(
  b: GraphBuilder,
  shapes: Readonly<Record<string, readonly number[]>>,
  data: Readonly<Record<string, Float32Array>>,
  outputs: readonly string[],
): Promise<Feeds> {
  const inputs = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: "float" as const, shape }));
  const graph = { name: "", path: "", parent: null, inputs, outputs: [], constants: b.constants, nodes: b.nodes };
  const opsets = new Map([["", 21]]);
  const model = { graph, irVersion: 10, opsets, producer: "", docString: "", metadata: [], notes: [] };
  const program = await open(model, graph, outputs);
  try {
    return await program.run(tensorsOf(graph, new Map(Object.entries(data))));
  } finally {
    await program.close();
  }
}

type Arrays = Readonly<Record<"x" | "w" | "dy", Float32Array>>;

/** Sums of products, the sums of their magnitudes, and the largest number of terms that any has. */
interface Sums {
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
  readonly terms: number;
}

/** Cotangents of x and w by the definition: every product w · x · dy of the convolution gives one term to each. */
function gradients(c: Correlation, { x, w, dy }: Arrays): Record<"x" | "w", Sums> {
  const ofX = { sums: new Float64Array(x.length), sizes: new Float64Array(x.length), terms: 0 };
  const ofW = { sums: new Float64Array(w.length), sizes: new Float64Array(w.length), terms: 0 };
  const [inputs, places, taps] = [c.input, c.output, c.kernel].map(elementCount) as [number, number, number];
  const add = (to: typeof ofX, i: number, term: number): void => {
    to.sums[i]! += term;
    to.sizes[i]! += Math.abs(term);
  };
  for (let place = 0; place < places; place++) {
    for (let tap = 0; tap < taps; tap++) {
      const at = read(c, place, tap);
      if (at === null) continue;
      for (let n = 0; n < c.batch; n++)
        for (let k = 0; k < c.group * c.maps; k++)
          for (let channel = 0; channel < c.channels; channel++) {
            const from = Math.floor(k / c.maps) * c.channels + channel;
            const xi = (n * c.group * c.channels + from) * inputs + at;
            const wi = (k * c.channels + channel) * taps + tap;
            const d = dy[(n * c.group * c.maps + k) * places + place]!;
            add(ofX, xi, d * w[wi]!);
            add(ofW, wi, d * x[xi]!);
          }
    }
  }
  return { x: { ...ofX, terms: c.maps * taps }, w: { ...ofW, terms: c.batch * places } };
}

/** Index in space of what a tap reads at a place; null outside. */
function read(c: Correlation, place: number, tap: number): number | null {
  let index = 0;
  const [o, t] = [indices(place, c.output), indices(tap, c.kernel)];
  for (let axis = 0; axis < c.input.length; axis++) {
    const at = o[axis]! * c.strides[axis]! + t[axis]! * c.dilations[axis]! - c.begin[axis]!;
    if (at < 0 || at >= c.input[axis]!) return null;
    index = index * c.input[axis]! + at;
  }
  return index;
}

function indices(flat: number, lengths: readonly number[]): number[] {
  const found: number[] = [];
  for (const length of [...lengths].reverse()) {
    found.unshift(flat % length);
    flat = Math.floor(flat / length);
  }
  return found;
}
