/**
 * One network as ONNX, as a layers model and as a graph model: scores, masks, collapse and theory are the same, element
 * by element where kernels are turned.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TheoryReport } from "../../server/protocol/insights.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { collapse } from "../../server/src/analysis/collapse.js";
import { exportScores } from "../../server/src/analysis/export.js";
import { theory } from "../../server/src/analysis/theory.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { type TwinForm, twins } from "../cases/tfjs/twins.js";
import { npz } from "../support/arrays-on-disk.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { writeModel } from "../support/models.js";
import { readNpz } from "../support/read-npz.js";
import { floats, labels, relativeError } from "../support/sensitivity.js";
import { type Twin, writeTfjs } from "../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const samples = 8;

interface Form {
  readonly path: string;
  /** Of samples in the form's own layout. */
  readonly data: string;
}

/** Files of the three forms; those of the graph model are the layers model's where the network has none. */
async function written(
  made: Twin,
  shape: readonly number[],
  classes: number,
): Promise<Readonly<Record<"onnx" | TwinForm, Form>>> {
  const place = folder.place();
  const x = floats([samples, ...shape]);
  const turned = channelsFirst(Float32Array.from(x.values as Float32Array), shape);
  const data = async (name: string, array: typeof x): Promise<string> => {
    const path = join(place, name);
    writeFileSync(path, await npz({ x: array, labels: labels(samples, classes) }));
    return path;
  };
  const last = await data("last.npz", x);
  const first = await data("first.npz", { ...x, ...turned });
  return {
    onnx: { path: writeModel(join(place, "model.onnx"), made.onnx), data: first },
    layers: { path: writeTfjs(join(place, "layers"), made.layers), data: last },
    graph: { path: writeTfjs(join(place, "graph"), made.graph ?? made.layers), data: last },
  };
}

/** Samples [height, width, channels] as [channels, height, width]; others stay. */
function channelsFirst(
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
): { shape: number[]; values: Float32Array<ArrayBuffer> } {
  if (shape.length < 3) return { shape: [samples, ...shape], values };
  const [height, width, channels] = shape as [number, number, number];
  const size = elementCount(shape);
  const turned = values.map((_, i) => {
    const place = i % size;
    const channel = Math.floor(place / (height * width));
    return values[i - place + (place % (height * width)) * channels + channel]!;
  });
  return { shape: [samples, channels, height, width], values: turned };
}

/** A report with tolerance for its fractions: sums over a turned kernel round in another order. */
function near(report: unknown): unknown {
  if (typeof report === "number" && !Number.isInteger(report))
    return expect.closeTo(report, 9 - Math.ceil(Math.log10(Math.abs(report)))) as unknown;
  if (Array.isArray(report)) return report.map(near);
  if (typeof report !== "object" || report === null) return report;
  return Object.fromEntries(Object.entries(report).map(([key, value]) => [key, near(value)]));
}

/** A report without what biases have a say in. */
const withoutBiases = ({ layers, edges, residual, inputScale }: TheoryReport): unknown => ({
  layers: layers.map(({ id, fanIn, sigmaW, meanShare, activation, limits, phase, suggestion }) => {
    const others = limits.filter(({ kind }) => kind !== "computed-bias");
    return { id, fanIn, sigmaW, meanShare, activation, limits: others, phase, suggestion };
  }),
  edges,
  residual,
  inputScale,
});

/** Scores are found once, for the mask and for themselves. */
const context = quietContext(folder.file("cache"));
const recipe = { ...defaultRecipe, sparsity: 0.7, batch: samples };

/** What the job exports of every weight, by its name. */
async function exported(
  { path, data }: Form,
  what: "mask" | "scores",
  changes: Partial<Recipe>,
): Promise<Map<string, ArrayLike<number>>> {
  const target = folder.file(`${what}.npz`);
  await exportScores({ uri: path, path, recipe: { ...recipe, data, ...changes }, target, what }, context);
  const arrays = Object.entries(await readNpz(target));
  return new Map(
    arrays.map(([name, { payload }]) => [
      name,
      what === "mask" ? payload : new Float32Array(payload.buffer, payload.byteOffset, payload.length / 4),
    ]),
  );
}

/** Weights of the ONNX form in the order in which the tfjs models store them. */
const inTfjsOrder = (made: Twin, arrays: ReadonlyMap<string, ArrayLike<number>>): Map<string, Float32Array> =>
  new Map(
    made.weights.flatMap(({ name, onnx, places }) => {
      const stored = arrays.get(onnx);
      // SynFlow has no scores of what only feeds gates.
      return stored === undefined ? [] : [[name, Float32Array.from(places, (place) => stored[place]!)]];
    }),
  );

/**
 * By criterion, over the largest score. Magnitudes are copied; the others are float32 sums whose order the layout decides,
 * GraSP's of gradients of gradients.
 */
const tolerances = [
  ["magnitude", 0],
  ["snip", 1e-5],
  ["synflow", 1e-5],
  ["grasp", 1e-4],
] as const;

describe.each(twins)("$name", ({ make, shape, classes, forms, turnedBias }) => {
  let made: Twin;
  let files: Readonly<Record<"onnx" | TwinForm, Form>>;
  beforeAll(async () => {
    made = await make();
    files = await written(made, shape, classes);
  });

  describe.each(forms)("as a %s model", (form) => {
    // A graph that gives the same gradients gives those of any other criterion too, which take longer.
    const criteria = tolerances.filter(([criterion]) => form === "layers" || !/synflow|grasp/.test(criterion));

    it.each(criteria)("has the same scores and mask by %s", async (criterion, tolerance) => {
      const scores = inTfjsOrder(made, await exported(files.onnx, "scores", { criterion }));
      const found = await exported(files[form], "scores", { criterion });
      expect([...found.keys()].sort()).toEqual([...scores.keys()].sort());
      for (const [name, expected] of scores)
        expect(relativeError(found.get(name)!, expected), name).toBeLessThanOrEqual(tolerance);
      const mask = inTfjsOrder(made, await exported(files.onnx, "mask", { criterion }));
      const kept = await exported(files[form], "mask", { criterion });
      for (const [name, expected] of mask) expect(Float32Array.from(kept.get(name)!), name).toEqual(expected);
    });

    it("collapses in the same way", async () => {
      const of = ({ path }: Form) => collapse({ uri: path, path, recipe }, quietContext());
      expect({ ...(await of(files[form])), resultId: "" }).toEqual({ ...(await of(files.onnx)), resultId: "" });
    });

    it("is the same to the theory", async () => {
      const of = async ({ path }: Form): Promise<unknown> => {
        const report = await theory({ uri: path, path, sigmaB: 0.1, dynamicAxes: {} }, quietContext());
        return turnedBias ? withoutBiases(report) : report;
      };
      expect(await of(files[form])).toEqual(near(await of(files.onnx)));
    });
  });
});
