/**
 * Originals run in TensorFlow.js, in a process of its own: what it computes, which backend does and why no better one,
 * and that no process is left, and nothing loaded that a stranger put somewhere.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { backendsFor } from "../../server/src/tfjs/backends.js";
import type { Backend, TfjsTensor } from "../../server/src/tfjs/messages.js";
import { TfjsRuntime, type TfjsRuntimeOptions } from "../../server/src/tfjs/tfjs-runtime.js";
import { until } from "../engine/stage.js";
import {
  floats,
  graphModel,
  layersModel,
  node,
  placeholder,
  runOriginal,
  weight,
  writeTfjs,
} from "../support/tfjs/index.js";
import { fakeLibrary, type faults } from "./fake-libraries.js";

const script = resolve("dist/tfjs.js");
const folder = mkdtempSync(join(tmpdir(), "prunescope-tfjs-"));
const input = floats([1, 6, 6, 3]);
const inputs: readonly TfjsTensor[] = [{ ...input, name: "image", data: Float32Array.from(input.data) }];
const wasm: Backend = { kind: "wasm" };
const cpu: Backend = { kind: "cpu" };
let path: string;

beforeAll(async () => {
  const model = await layersModel(() => {
    const image = tf.input({ shape: [6, 6, 3], name: "image" });
    const conv = tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }).apply(image);
    const flat = tf.layers.flatten().apply(conv);
    return tf.model({ inputs: image, outputs: tf.layers.dense({ units: 5 }).apply(flat) as tf.SymbolicTensor });
  });
  // Two shards, which a weight straddles, and codes that decoders must agree about.
  path = writeTfjs(join(folder, "model"), model, { quantise: "uint8", shardSize: 300 });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const runtime = (options: Partial<TfjsRuntimeOptions> = {}): TfjsRuntime =>
  new TfjsRuntime({
    script,
    backends: [wasm, cpu],
    passedOver: [],
    memoryLimit: 0,
    checkpoint: () => Promise.resolve(),
    ...options,
  });

/** One run of the model in a runtime that is closed after it. */
async function run(options: Partial<TfjsRuntimeOptions> = {}, model = path): ReturnType<TfjsRuntime["run"]> {
  const one = runtime(options);
  try {
    return await one.run({ path: model, inputs });
  } finally {
    one.close();
  }
}

let places = 0;
/** A folder of its own. */
function place(): string {
  const made = join(folder, String(places++));
  mkdirSync(made);
  return made;
}

const alive = (id: number): boolean => {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
};

describe("a run", () => {
  it.each([wasm, cpu])("on $kind computes what TensorFlow.js does in this process", async (backend) => {
    const { dense_Dense1: expected, ...others } = await runOriginal(path, { image: input }, backend.kind);
    const found = await run({ backends: [backend] });
    expect(found).toMatchObject({ backend: backend.kind, version: "4.22.0", passedOver: [] });
    const only = Object.values(others).concat(expected ?? []);
    expect(found.outputs).toHaveLength(only.length);
    expect(found.outputs![0]).toMatchObject({ shape: [1, 5], dtype: "float32" });
    // The same code on the same numbers.
    expect(Array.from(found.outputs![0]!.data)).toEqual(Array.from(only[0]!.data));
  });

  it("takes the next backend where one lacks a kernel, and names the kernel", async () => {
    const kernel = weight("kernel", [3, 2], [1, 2, 3, 4, 5, 6]);
    const model = graphModel({
      inputs: [placeholder("x", [1, 3])],
      weights: [kernel],
      nodes: [node("Einsum", "y", ["x", "kernel"], { equation: "ij,jk->ik", N: 2 })],
      outputs: ["y"],
    });
    const one = runtime();
    const x: TfjsTensor = { name: "x", shape: [1, 3], dtype: "float32", data: Float32Array.of(1, 10, 100) };
    const found = await one.run({ path: writeTfjs(place(), model), inputs: [x] });
    one.close();
    expect(found).toMatchObject({
      backend: "cpu",
      passedOver: ["The wasm backend does not run it: it has no kernel for Einsum."],
    });
    expect(Array.from(found.outputs![0]!.data)).toEqual([531, 642]);
  });

  it("says what is wrong with the files, by our own checks", async () => {
    const model = await layersModel(() => tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] }));
    const broken = writeTfjs(place(), model);
    for (const name of readdirSync(resolve(broken, "..")))
      if (name.endsWith(".bin")) rmSync(resolve(broken, "..", name));
    await expect(run({}, broken)).rejects.toMatchObject({ code: "missing-data" });
  });
});

describe("the native library", () => {
  const withFake = (fault: keyof typeof faults, options: Partial<TfjsRuntimeOptions> = {}) => {
    const fake = fakeLibrary(place(), fault);
    return { fake, found: run({ ...backendsFor(fake.folder, script), ...options }) };
  };

  it("is taken where a setting names it", async () => {
    const { fake, found } = withFake("none");
    expect(await found).toMatchObject({ backend: "tfjs-node", version: "4.22.0", passedOver: [] });
    expect(fake.loadedBy()).toHaveLength(1);
  });

  it.each<[keyof typeof faults, RegExp]>([
    ["kernel", /^The native library in .* does not work: \(0 , util_1\.isNullOrUndefined\) is not a function\.$/],
    ["numbers", /does not work: It computes \[1, 2\] where \[21, 43\] is right\.$/],
    ["load", /does not work: The specified module could not be found\. libtensorflow\.so\.$/],
    ["crash", /^The native library in .* crashed \(signal SIGABRT\)\.$/],
    ["crashInRun", /^The native library in .* crashed \(signal SIGABRT\)\.$/],
  ])("is passed over with the reason when it fails: %s", async (fault, reason) => {
    const { fake, found } = withFake(fault);
    const { backend, passedOver } = (await found) as { backend: string; passedOver: readonly string[] };
    expect(backend).toBe("wasm");
    expect(passedOver).toEqual([expect.stringMatching(reason)]);
    expect(fake.loadedBy().filter(alive)).toEqual([]);
  });

  it("is passed over when it does not come to an end", async () => {
    const fake = fakeLibrary(place(), "hang");
    const backends: readonly Backend[] = [{ kind: "tfjs-node", folder: fake.folder }];
    const found = await run({ backends, limits: { start: 1500, run: 60_000 } });
    expect(found).toEqual({
      outputs: null,
      reason: expect.stringMatching(/was stopped: it took more than 1\.5 s\.$/) as string,
    });
    await until("the process is gone", () => !fake.loadedBy().some(alive));
  });

  it("is looked for where it was named and in our own install, and nowhere near the model", async () => {
    const near = fakeLibrary(join(folder, "model"));
    const workspace = process.cwd();
    process.chdir(join(folder, "model"));
    process.env["NODE_PATH"] = join(folder, "model", "node_modules");
    try {
      const found = await run(backendsFor("", script));
      expect(found).toMatchObject({
        backend: "wasm",
        passedOver: [expect.stringContaining("is not part of this installation")],
      });
      expect(near.loadedBy()).toEqual([]);
    } finally {
      process.chdir(workspace);
      delete process.env["NODE_PATH"];
    }
  });

  it("is found in our own install, and what a setting names comes first", () => {
    const install = place();
    const own = fakeLibrary(install);
    const named = fakeLibrary(place());
    const native = (fake: { readonly folder: string }): Backend => ({ kind: "tfjs-node", folder: fake.folder });
    const ours = join(install, "dist", "tfjs.js");
    expect(backendsFor("", ours)).toEqual({ backends: [native(own), wasm, cpu], passedOver: [] });
    expect(backendsFor(named.folder, ours).backends).toEqual([native(named), native(own), wasm, cpu]);
  });

  it("is refused where a setting names something else", () => {
    const other = join(place(), "other");
    mkdirSync(other);
    writeFileSync(join(other, "package.json"), JSON.stringify({ name: "left-pad" }));
    for (const setting of [other, join(folder, "nowhere"), "node_modules/@tensorflow/tfjs-node"]) {
      const { backends, passedOver } = backendsFor(setting, script);
      expect(backends).toEqual([wasm, cpu]);
      expect(passedOver).toEqual([expect.stringContaining(setting)]);
    }
  });
});

describe("a process", () => {
  it("is killed when the work is cancelled", async () => {
    const fake = fakeLibrary(place(), "hangInRun");
    const stop = new PruneScopeError("cancelled", "Cancelled.");
    const checkpoint = (): Promise<void> => (fake.loadedBy().length > 0 ? Promise.reject(stop) : Promise.resolve());
    await expect(run({ ...backendsFor(fake.folder, script), checkpoint })).rejects.toBe(stop);
    await until("it is gone", () => !fake.loadedBy().some(alive));
  });

  it("is killed when a run takes too long, which no other backend would be faster with", async () => {
    const fake = fakeLibrary(place(), "hangInRun");
    const found = await run({ ...backendsFor(fake.folder, script), limits: { start: 60_000, run: 200 } });
    expect(found).toEqual({ outputs: null, reason: expect.stringContaining("it took more than 0.2 s") as string });
    await until("it is gone", () => !fake.loadedBy().some(alive));
  });

  it("that crashes is an error with a code, naming backend and file", async () => {
    const crashing = join(place(), "tfjs.js");
    writeFileSync(
      crashing,
      `process.on("message", () => process.abort()); process.send({ type: "ready", version: "0" });`,
    );
    const found = run({ script: crashing });
    await expect(found).rejects.toMatchObject({ code: "engine-crash", about: { file: path } });
    await expect(found).rejects.toThrow("(the wasm backend) crashed (signal SIGABRT)");
  });

  it("ends after its parent was killed, in the middle of a run", async () => {
    const fake = fakeLibrary(place(), "hang");
    const parent = join(place(), "parent.cjs");
    const backend: Backend = { kind: "tfjs-node", folder: fake.folder };
    writeFileSync(
      parent,
      `require("node:child_process").fork(${JSON.stringify(script)},
        [String(process.pid), ${JSON.stringify(JSON.stringify(backend))}], { serialization: "advanced" });`,
    );
    const started = spawn(process.execPath, [parent], { stdio: "ignore" });
    await until("it runs", () => fake.loadedBy().length === 1);
    started.kill("SIGKILL");
    await once(started, "exit");
    await until("it is gone", () => !fake.loadedBy().some(alive));
  });
});
