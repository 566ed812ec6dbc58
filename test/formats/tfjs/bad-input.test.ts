/**
 * Broken and hostile TensorFlow.js models, from tables: every one ends in an error with a code, whose line names the file
 * and the place; nothing is written, and no file, tensor or global name is left.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { describeError, PruneScopeError, toErrorData } from "../../../server/protocol/errors.js";
import type { ModelView } from "../../../server/protocol/model.js";
import { open } from "../../../server/src/analysis/open.js";
import { tensorFlow } from "../../../server/src/formats/tfjs/tensorflow.js";
import {
  badGraphs,
  badJson,
  badLayers,
  badShards,
  type BadFiles,
  type BadTfjs,
  badWeights,
  foreignJson,
  layers,
} from "../../cases/tfjs/broken/index.js";
import { quietContext } from "../../support/job-context.js";
import { ModelFolder } from "../../support/model-folder.js";
import { tfjsMutants, tfjsSeeds } from "../../fuzz/tfjs-mutants.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

/** Writes the files into a folder of their own. @returns the path of model.json. */
function write(files: BadFiles): string {
  const place = folder.place();
  for (const [name, content] of Object.entries(files)) {
    const path = join(place, name);
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(path, content);
    else if (content.kind === "folder") mkdirSync(path);
    else if (content.kind === "pipe") execFileSync("mkfifo", [path]);
    else symlinkSync(content.to ?? "", path);
  }
  return join(place, "model.json");
}

const opened = (path: string): Promise<ModelView> => open({ uri: "file:///x", path, dynamicAxes: {} }, quietContext());

/** What a failure must not change: names of files, files that are open, tensors, what every object answers to. */
async function surroundings(place: string): Promise<object> {
  const { core } = await tensorFlow();
  const handles = "/proc/self/fd";
  return {
    files: readdirSync(place).sort(),
    open: existsSync(handles) ? readdirSync(handles).length : 0,
    tensors: core.memory().numTensors,
    classes: Object.keys(core.serialization.SerializationMap.getMap().classNameMap).sort(),
    inherited: Object.getOwnPropertyNames(Object.prototype).sort(),
  };
}

async function expectRefused({ files, code, words }: BadTfjs): Promise<void> {
  const path = write(files());
  const before = await surroundings(join(path, ".."));
  const error: unknown = await opened(path).then(
    () => new Error("it was opened"),
    (thrown: unknown) => thrown,
  );
  const line = describeError(toErrorData(error));
  expect(error, line).toBeInstanceOf(PruneScopeError);
  expect((error as PruneScopeError).code, line).toBe(code);
  expect(line).toMatch(words);
  expect(line).toContain(path);
  expect(line.length).toBeLessThan(1000);
  expect(await surroundings(join(path, ".."))).toEqual(before);
}

describe("what the broken models are made of", () => {
  test("is sound", async () => {
    expect((await opened(write(layers(() => undefined)))).prunable).toBe(12);
  });
});

describe.each([
  ["a model.json that is broken", badJson],
  ["a model.json of something else", foreignJson],
  ["shards", badShards],
  ["weights", badWeights],
  ["layers", badLayers],
  ["nodes", badGraphs],
])("%s", (_what, table) => {
  test.each(table)("$name", expectRefused);
});

test("models that are read again and again leave no tensor, and do not change each other", async () => {
  const [path, other] = [
    write(layers(() => undefined)),
    write(layers(({ d }) => Object.assign(d.config, { note: 1 }))),
  ];
  const before = await surroundings(join(path, ".."));
  const first = await opened(path);
  for (let i = 0; i < 5; i++) {
    await opened(other);
    await expect(opened(write(layers(({ d }) => Object.assign(d, { class_name: "Adam" }))))).rejects.toThrow(/"d"/);
    expect(await opened(path)).toEqual(first);
  }
  expect(await surroundings(join(path, ".."))).toEqual(before);
});

test("the command line says what is wrong in one line, and exits with 1", () => {
  const path = write(layers(({ group }) => Object.assign(group, { paths: ["../w.bin"] })));
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve("dist/cli.js"), "analyze", path], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/unsafe-path/);
  expect(stderr).toContain(path);
});

test.each(Object.keys(tfjsSeeds))("mutants of %s are read, or refused by a code", async (seed) => {
  const mutant = await tfjsMutants(seed);
  const results = new Set<string>();
  for (let number = 1; number <= 40; number++) {
    const path = write(Object.fromEntries(mutant(number).files));
    const error: unknown = await opened(path).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (error !== null) expect(error).toBeInstanceOf(PruneScopeError);
    results.add(error instanceof PruneScopeError ? error.code : "read");
  }
  expect(results).toContain("read");
  expect(results).toContain("malformed-model");
  expect(results).not.toContain("internal");
});
