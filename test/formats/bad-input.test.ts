/**
 * Bad input, from tables: every one ends within a second in an error with a code, whose line names the file and the
 * place, and nothing is written.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeError, type ErrorCode, PruneScopeError, toErrorData } from "../../server/protocol/errors.js";
import type { ModelView } from "../../server/protocol/model.js";
import { open } from "../../server/src/analysis/open.js";
import { save } from "../../server/src/analysis/save.js";
import { badExternals, withExternal } from "../cases/bad-external.js";
import { badFiles, soundPrefixes } from "../cases/bad-files.js";
import { badModels } from "../cases/bad-models.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { uniform } from "../support/arrays.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, saveParams } from "../support/model-folder.js";
import { convNet, externalWeights, hostileNames, modelBytes, writeModel } from "../support/models.js";

const folder = new ModelFolder();
const outside = new ModelFolder();
afterAll(() => {
  folder.dispose();
  outside.dispose();
});

const opened = (path: string): Promise<ModelView> => open({ uri: "file:///x", path, dynamicAxes: {} }, quietContext());

/** What comes of opening `path`: a coded error whose line names the file, in time and without a trace on the disk. */
async function expectRefused(path: string, code: ErrorCode, words: RegExp): Promise<PruneScopeError> {
  const before = readdirSync(folder.path).sort();
  const began = process.cpuUsage();
  const error: unknown = await opened(path).then(
    () => new Error("it was opened"),
    (thrown: unknown) => thrown,
  );
  const { user, system } = process.cpuUsage(began);
  const line = describeError(toErrorData(error));
  expect(error, line).toBeInstanceOf(PruneScopeError);
  expect((error as PruneScopeError).code, line).toBe(code);
  expect(line).toMatch(words);
  expect(line).toContain(path);
  // Within a second, of processor time: what the clock says is the machine's other work too.
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(readdirSync(folder.path).sort()).toEqual(before);
  return error as PruneScopeError;
}

describe("files that are no models", () => {
  test.each(badFiles)("$name", async ({ make, words }) => {
    await expectRefused(folder.write("bad.onnx", make()), "malformed-model", words);
  });

  test.each(badFiles)("$name, saved", async ({ make }) => {
    const path = folder.write("bad.onnx", make());
    await expect(save(saveParams(path), quietContext())).rejects.toMatchObject({ code: "malformed-model" });
    expect(readdirSync(folder.path)).not.toContain("bad-pruned.onnx");
  });
});

describe("models that are not sound", () => {
  test.each(badModels)("$name", async ({ make, code, words }) => {
    await expectRefused(writeModel(folder.file("bad.onnx"), make()), code ?? "malformed-model", words);
  });
});

describe("external data", () => {
  beforeAll(() => {
    writeFileSync(folder.file("w.bin"), new Uint8Array(200));
    writeFileSync(folder.file("short.bin"), new Uint8Array(100));
    writeFileSync(outside.file("outside.bin"), new Uint8Array(200));
    mkdirSync(folder.file("folder"));
    symlinkSync(outside.file("outside.bin"), folder.file("escape.bin"));
    symlinkSync(outside.path, folder.file("away"));
    symlinkSync(folder.file("ghost.bin"), folder.file("dangling.bin"));
    execFileSync("mkfifo", [folder.file("pipe")]);
  });

  test.each(badExternals)("$name", async ({ entries, code, words }) => {
    await expectRefused(writeModel(folder.file("bad.onnx"), withExternal(entries)), code, words);
  });

  test("a link inside the folder is followed", async () => {
    symlinkSync("w.bin", folder.file("inside.bin"));
    const path = writeModel(folder.file("good.onnx"), withExternal({ location: "inside.bin", offset: "56" }));
    expect((await opened(path)).prunable).toBe(36);
  });
});

describe("what is no file", () => {
  const places: readonly { readonly name: string; make: (path: string) => void; code: ErrorCode; words: RegExp }[] = [
    { name: "nothing", make: () => undefined, code: "missing-data", words: /does not exist/ },
    { name: "a folder", make: (path) => mkdirSync(path), code: "malformed-model", words: /is not a regular file/ },
    {
      name: "a pipe that nobody writes to",
      make: (path) => execFileSync("mkfifo", [path]),
      code: "malformed-model",
      words: /is not a regular file/,
    },
    {
      name: "an endless device",
      make: (path) => {
        symlinkSync("/dev/zero", path);
      },
      code: "malformed-model",
      words: /is not a regular file/,
    },
    {
      name: "a link that leads nowhere",
      make: (path) => {
        symlinkSync(join(path, "none"), path);
      },
      code: "missing-data",
      words: /does not exist|cannot be read/,
    },
    {
      name: "a link to itself",
      make: (path) => {
        symlinkSync(path, path);
      },
      code: "missing-data",
      words: /cannot be read: ELOOP/,
    },
  ];

  test.each(places)("$name", async ({ make, code, words }) => {
    const path = folder.file("place.onnx");
    rmSync(path, { recursive: true, force: true });
    make(path);
    await expectRefused(path, code, words);
    rmSync(path, { recursive: true, force: true });
  });

  test.each(["model.pt", "model.onnx.bak", "model", "onnx"])("a file called %s", async (name) => {
    await expectRefused(
      folder.write(name, "x"),
      "unsupported-format",
      /is not a model that PruneScope reads \(\.onnx, \.json\)/,
    );
  });
});

describe("files that were cut off", () => {
  test("every prefix of a small model is refused, but for those that end between fields behind the graph", async () => {
    const whole = modelBytes(convNet());
    const sound = soundPrefixes(whole);
    for (let length = 1; length < whole.length; length += length < 300 ? 1 : 13) {
      if (!sound.has(length))
        await expectRefused(folder.write("cut.onnx", whole.subarray(0, length)), "malformed-model", /./);
    }
    for (const length of sound) {
      expect((await opened(folder.write("cut.onnx", whole.subarray(0, length)))).layers).toHaveLength(3);
    }
  });

  test.each(realModels)("$file is refused wherever it ends", async (real) => {
    const whole = new Uint8Array(readFileSync(realModelPath(real)));
    const sound = soundPrefixes(whole);
    const random = uniform(11);
    for (let i = 0; i < 20; i++) {
      const length = 1 + Math.floor(random() * (whole.length - 1));
      if (sound.has(length)) continue;
      await expectRefused(
        folder.write("cut.onnx", whole.subarray(0, length)),
        "malformed-model",
        /byte \d+|holds no graph/,
      );
    }
  });

  test("external data that was cut off is named", async () => {
    const path = writeModel(folder.file("external.onnx"), externalWeights());
    const data = folder.file("weights.bin");
    writeFileSync(data, readFileSync(data).subarray(0, 9000));
    await expectRefused(path, "malformed-model", /"second" reaches to byte \d+ of .*weights\.bin, which has only 9000/);
  });
});

describe("hostile names", () => {
  test.each(Object.entries(hostileNames))("%s arrives in the error as the text it is", async (_kind, name) => {
    const made = withExternal({ location: "ghost.bin" });
    made.proto.graph!.initializer[0]!.name = name;
    const error = await expectRefused(
      writeModel(folder.file("bad.onnx"), made),
      "missing-data",
      /not beside the model/,
    );
    expect(error.about.value).toBe(name);
  });
});
