/** Laws of the checks at the connection: what is right passes unchanged, and each wrong field is named. */
import { expect, test } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { jobNames, type JobName, type Jobs } from "../../server/protocol/requests.js";
import {
  parseCloseParams,
  parseInitializationOptions,
  parseJobParams,
  parseServerSettings,
} from "../../server/protocol/validate.js";

const model = { uri: "file:///m.onnx", path: "/m.onnx" };
const recipe = { ...defaultRecipe, exclude: ["a"], floors: { b: 0.5 } };
const valid: { readonly [J in JobName]: Jobs[J]["params"] } = {
  open: { ...model, dynamicAxes: { batch: 1, "input:0": 1e6 }, retry: true },
  shapes: { ...model, dynamicAxes: {} },
  analyze: { ...model, recipe, retry: false },
  survival: { ...model, recipe },
  save: { ...model, recipe, target: "/out.onnx", replaceOriginal: false, metadata: true, fingerprint: "x" },
  verify: { ...model, pruned: "/out.onnx", seed: 7, dynamicAxes: {} },
  compress: { ...model, pruned: "/out.onnx" },
  check: { ...model, pattern: { n: 2, m: 4 }, exclude: ["a"] },
  held: model,
  compare: { ...model, pruned: "/out.onnx", recipe, latencySeconds: 2 },
  export: { ...model, recipe, target: "/mask.npz", what: "mask" },
  theory: { ...model, sigmaB: 0.2, dynamicAxes: {} },
  collapse: { ...model, recipe },
  measure: { ...model, recipe, stabilityRuns: 3 },
  remedies: { ...model, recipe, budget: 30 },
  parity: { ...model, seed: 7, dynamicAxes: { batch: 1 } },
};
const settings = { threads: 0, memoryLimit: 4096, cacheMaxSize: 500 };

test.each(jobNames)("right parameters of %s pass, and unknown fields are dropped", (job) => {
  expect(parseJobParams(job, { ...valid[job], surplus: 1 })).toEqual(valid[job]);
});

test.each(jobNames)("%s without a field, or with one of the wrong type, is refused and the field named", (job) => {
  for (const field of Object.keys(valid[job])) {
    const rest: Record<string, unknown> = { ...valid[job] };
    rest[field] = Symbol("wrong");
    expect(() => parseJobParams(job, rest)).toThrow(field);
    if (field === "retry" || field === "fingerprint") continue;
    const without = Object.fromEntries(Object.entries(valid[job]).filter(([name]) => name !== field));
    expect(() => parseJobParams(job, without)).toThrow(expect.objectContaining({ code: "bad-request" }) as Error);
  }
});

test.each([null, undefined, [], "text", 3])("parameters that are no object are refused: %j", (input) => {
  for (const parse of [parseCloseParams, parseInitializationOptions, parseServerSettings]) {
    expect(() => parse(input)).toThrow("must be an object");
  }
  for (const job of jobNames) expect(() => parseJobParams(job, input)).toThrow("must be an object");
});

test.each(["", "m.onnx", "./m.onnx", "../m.onnx", "c:m.onnx", "file:///m.onnx", "/m\0.onnx"])(
  "a path that is not absolute is refused: %j",
  (path) => {
    expect(() => parseJobParams("open", { ...valid.open, path })).toThrow("path must be an absolute path");
  },
);

test.each(["/m.onnx", "C:\\m.onnx", "c:/m.onnx", "\\\\server\\share\\m.onnx"])(
  "an absolute path passes: %s",
  (path) => {
    expect(parseJobParams("open", { ...valid.open, path }).path).toBe(path);
  },
);

test.each([0, -1, 1.5, 1e6 + 1, NaN, Infinity, "3", null])("a dynamic axis of %j is refused and named", (length) => {
  const input = { ...valid.open, dynamicAxes: { batch: 1, sequence: length } };
  expect(() => parseJobParams("open", input)).toThrow('dynamicAxes["sequence"] must be a whole number');
});

test("a name like __proto__ is a name like any other", () => {
  const input: unknown = JSON.parse('{"uri":"file:///m","path":"/m","dynamicAxes":{"__proto__":3}}');
  expect(Object.entries(parseJobParams("open", input).dynamicAxes)).toEqual([["__proto__", 3]]);
});

test("a uri has a scheme, and a recipe is checked as a recipe", () => {
  expect(() => parseCloseParams({ uri: "/m.onnx" })).toThrow("uri must be a URI");
  expect(parseCloseParams({ uri: "vscode-vfs://x/m.onnx" })).toEqual({ uri: "vscode-vfs://x/m.onnx" });
  const input = { ...valid.analyze, recipe: { ...recipe, sparsity: 1 } };
  expect(() => parseJobParams("analyze", input)).toThrow("recipe.sparsity");
});

test("settings and initialization options are whole numbers and a folder", () => {
  expect(parseServerSettings({ ...settings, surplus: 1 })).toEqual(settings);
  expect(parseInitializationOptions({ ...settings, storage: "/s" })).toEqual({ ...settings, storage: "/s" });
  expect(() => parseServerSettings({ ...settings, threads: -1 })).toThrow("threads");
  expect(() => parseServerSettings({ ...settings, memoryLimit: 1.5 })).toThrow("memoryLimit");
  expect(() => parseInitializationOptions({ ...settings, storage: "relative" })).toThrow("storage");
});
