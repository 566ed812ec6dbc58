/**
 * Folders that stand for `@tensorflow/tfjs-node` in tests: TensorFlow.js' own packages on a backend called as the native
 * one, with something wrong where a test wants it. Each leaves a trace when it is loaded.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** JavaScript that runs when the library is loaded, with `library` in its hands. */
export const faults = {
  none: "",
  /** As version 4.22 does on Node.js 23 and later. */
  kernel: "library.matMul = () => { throw new TypeError('(0 , util_1.isNullOrUndefined) is not a function'); };",
  numbers: "library.matMul = () => core.tensor([1, 2]);",
  load: "throw new Error('The specified module could not be found.\\nlibtensorflow.so');",
  crash: "process.abort();",
  hang: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
  /** While the model runs, not before. */
  crashInRun: "library.loadLayersModel = () => process.abort();",
  hangInRun: "library.loadLayersModel = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
} as const;

export interface FakeLibrary {
  /** As a person names it. */
  readonly folder: string;
  /** Process ids that loaded it, in order. */
  loadedBy(): readonly number[];
}

/** Writes a library below `parent`. */
export function fakeLibrary(parent: string, fault: keyof typeof faults = "none"): FakeLibrary {
  const folder = join(parent, "node_modules", "@tensorflow", "tfjs-node");
  const trace = join(folder, "loaded");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node", main: "index.js" }));
  const real = (name: string): string => JSON.stringify(resolve("node_modules/@tensorflow", name));
  writeFileSync(
    join(folder, "index.js"),
    `require("node:fs").appendFileSync(${JSON.stringify(trace)}, process.pid + "\\n");
    console.log("I advertise myself."); console.error("And I warn.");
    const core = require(${real("tfjs-core")});
    const { MathBackendCPU } = require(${real("tfjs-backend-cpu")});
    core.registerBackend("tensorflow", () => new MathBackendCPU());
    core.copyRegisteredKernels("cpu", "tensorflow");
    const library = { ...core, ...require(${real("tfjs-layers")}), ...require(${real("tfjs-converter")}),
      version: { "tfjs-core": "4.22.0", tfjs: "4.22.0" } };
    module.exports = library;
    ${faults[fault]}`,
  );
  return {
    folder,
    loadedBy: () => (existsSync(trace) ? readFileSync(trace, "utf8").trim().split("\n").map(Number) : []),
  };
}
