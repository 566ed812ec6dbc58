/** Where a save may write: never over the original by accident, whole or not at all, and with nothing left behind. */
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { SaveReport } from "../../server/protocol/report.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { open } from "../../server/src/analysis/open.js";
import { save } from "../../server/src/analysis/save.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder, reading, saveParams } from "../support/model-folder.js";
import { externalWeights, mlp } from "../support/models.js";

let folder = new ModelFolder();
let path = "";
let original = Buffer.alloc(0);
beforeEach(() => {
  folder.dispose();
  folder = new ModelFolder();
  path = folder.write("model.onnx", mlp());
  original = readFileSync(path);
});
afterAll(() => {
  folder.dispose();
});

type Changes = Parameters<typeof saveParams>[1];
const saved = (changes: Changes, context: JobContext = quietContext()): Promise<SaveReport> =>
  save(saveParams(path, changes), context);

/** Every file below the folder with its content. */
function everything(from = folder.path): Record<string, string> {
  return Object.fromEntries(
    readdirSync(from, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [relative(from, file), readFileSync(file).toString("base64")]),
  );
}

/** A save that fails with `code`, says `words`, and leaves every file as it was. */
async function refused(changes: Changes, code: string, words: RegExp, context?: JobContext): Promise<void> {
  const before = everything();
  await expect(saved(changes, context)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(words) as string,
  });
  expect(everything()).toEqual(before);
}

describe("the original is refused as target", () => {
  const spellings: readonly { readonly name: string; readonly target: () => string }[] = [
    { name: "by its own path", target: () => path },
    { name: "by a path with dots in it", target: () => join(dirname(path), "x", "..").concat("/./", basename(path)) },
    { name: "by a path with doubled slashes", target: () => `${dirname(path)}//${basename(path)}` },
    { name: "by a relative path", target: () => relative(process.cwd(), path) },
    {
      name: "through a symbolic link",
      target: () => (symlinkSync(path, folder.file("link.onnx")), folder.file("link.onnx")),
    },
    {
      name: "through a symbolic link to its folder",
      target: () => (symlinkSync(folder.path, folder.file("here")), join(folder.file("here"), basename(path))),
    },
    { name: "through a hard link", target: () => (linkSync(path, folder.file("hard.onnx")), folder.file("hard.onnx")) },
  ];

  test.each(spellings)("$name", async ({ target }) => {
    mkdirSync(folder.file("x"));
    await refused({ target: target() }, "unsafe-path", /is the original model/);
  });

  test("when it was itself opened through a link", async () => {
    const link = folder.file("link.onnx");
    symlinkSync(path, link);
    const params = { ...saveParams(link), target: path };
    await expect(save(params, quietContext())).rejects.toMatchObject({ code: "unsafe-path" });
    expect(Buffer.compare(readFileSync(path), original)).toBe(0);
  });

  test("unless the person confirmed: then it is replaced, and a link to it stays a link", async () => {
    const link = folder.file("link.onnx");
    symlinkSync(path, link);
    await saved({ target: link, replaceOriginal: true });
    expect(Buffer.compare(readFileSync(path).subarray(0, original.length), original)).not.toBe(0);
    expect(reading(path, ({ model }) => model.metadata.map(({ key }) => key))).toContain("prunescope.recipe");
    expect(readFileSync(link)).toEqual(readFileSync(path));
    expect(readdirSync(folder.path).sort()).toEqual(["link.onnx", "model.onnx"]);
  });

  test("a pruned model that is pruned again keeps both provenances", async () => {
    await saved({ target: path, replaceOriginal: true });
    await saved({ target: path, replaceOriginal: true, recipe: { sparsity: 0.75 } });
    const records = reading(path, ({ model }) =>
      model.metadata.filter(({ key }) => key.startsWith("prunescope.recipe")),
    );
    expect(records.map(({ key, value }) => [key, (JSON.parse(value) as { sparsity: number }).sparsity])).toEqual([
      ["prunescope.recipe", 0.5],
      ["prunescope.recipe.2", 0.75],
    ]);
  });
});

describe("a target that is a link", () => {
  test.each([
    { name: "to another file", end: "other.onnx" },
    { name: "to nothing", end: "ghost.onnx" },
    { name: "to a file elsewhere", end: "else/other.onnx" },
  ])("$name is refused: what it leads to was not named", async ({ end }) => {
    mkdirSync(folder.file("else"));
    for (const name of ["other.onnx", "else/other.onnx"]) writeFileSync(folder.file(name), "somebody's");
    symlinkSync(folder.file(end), folder.file("link.onnx"));
    await refused({ target: folder.file("link.onnx") }, "unsafe-path", /link.onnx is a link to .*Save to that file/);
    expect(lstatSync(folder.file("link.onnx")).isSymbolicLink()).toBe(true);
  });

  test("in a folder that is a link it is written to where that leads", async () => {
    mkdirSync(folder.file("real"));
    symlinkSync(folder.file("real"), folder.file("linked"));
    await saved({ target: folder.file("linked/p.onnx") });
    expect(readdirSync(folder.file("real"))).toEqual(["p.onnx"]);
  });
});

describe("a target that cannot be written", () => {
  const unwritable: readonly { readonly name: string; readonly target: () => string; readonly words: RegExp }[] = [
    {
      name: "is a folder",
      target: () => (mkdirSync(folder.file("d.onnx")), folder.file("d.onnx")),
      words: /it is a folder/,
    },
    {
      name: "lies in a folder that is not there",
      target: () => folder.file("none/p.onnx"),
      words: /folder does not exist/,
    },
    // A folder without write permission would not stop root, so a file stands where the folder should be.
    { name: "lies in what is no folder", target: () => join(path, "p.onnx"), words: /was not saved/ },
    {
      name: "has a name that is too long",
      target: () => folder.file(`${"n".repeat(300)}.onnx`),
      words: /was not saved/,
    },
  ];

  test.each(unwritable)("$name", async ({ target, words }) => {
    await refused({ target: target() }, "write-failed", words);
  });

  test("names of 249 bytes can be saved to", async () => {
    const target = folder.file(`${"ä".repeat(122)}.onnx`);
    await saved({ target });
    expect(readdirSync(folder.path).sort()).toEqual(["model.onnx", basename(target)].sort());
  });
});

describe("a model that changes while it is worked on", () => {
  test("is refused when it is not the one that the person saw", async () => {
    const { fingerprint } = await open({ uri: "x:", path, dynamicAxes: {} }, quietContext());
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    await refused({ fingerprint }, "changed-on-disk", /nothing was saved/);
  });

  /** A context in which something happens to the disk before the last bytes of the target are written. */
  const meanwhile = (happens: () => void): JobContext => {
    let done = false;
    return {
      ...quietContext(),
      progress: ({ stage }) => {
        if (stage !== "Writing" || done) return;
        done = true;
        happens();
      },
    };
  };
  const events: readonly { readonly name: string; readonly happens: () => void }[] = [
    { name: "is written in place", happens: () => writeFileSync(path, original.subarray(0).reverse()) },
    {
      name: "is replaced by a rename",
      happens: () => {
        writeFileSync(`${path}.new`, original);
        renameSync(`${path}.new`, path);
      },
    },
    {
      name: "is deleted",
      happens: () => {
        rmSync(path);
      },
    },
    { name: "is shortened", happens: () => writeFileSync(path, original.subarray(0, 100)) },
  ];

  test.each(events)("is refused when it $name meanwhile", async ({ happens }) => {
    const target = folder.file("pruned.onnx");
    await expect(saved({ target }, meanwhile(happens))).rejects.toMatchObject({ code: "changed-on-disk" });
    expect(readdirSync(folder.path).filter((name) => name !== "model.onnx")).toEqual([]);
  });

  test("is refused when its external data changes meanwhile", async () => {
    path = folder.write("external.onnx", externalWeights());
    mkdirSync(folder.file("out"));
    const data = folder.file("weights.bin");
    const happens = (): void => {
      const bytes = readFileSync(data);
      bytes[0] = bytes[0]! ^ 1;
      writeFileSync(data, bytes);
    };
    await expect(saved({ target: folder.file("out/p.onnx") }, meanwhile(happens))).rejects.toMatchObject({
      code: "changed-on-disk",
    });
    expect(readdirSync(folder.file("out"))).toEqual([]);
  });

  test.each(["mlp", "external"])("says so when the target's folder goes away meanwhile (%s)", async (kind) => {
    if (kind === "external") path = folder.write("external.onnx", externalWeights());
    mkdirSync(folder.file("out"));
    const happens = (): void => {
      rmSync(folder.file("out"), { recursive: true });
    };
    await expect(saved({ target: folder.file("out/p.onnx") }, meanwhile(happens))).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringMatching(/was not saved: .*Nothing was changed\.$/) as string,
    });
    expect(existsSync(folder.file("out"))).toBe(false);
  });

  test("leaves nothing behind when the work is cancelled", async () => {
    const stop = new Error("cancelled");
    let calls = 0;
    const context: JobContext = {
      ...quietContext(),
      checkpoint: () => (++calls > 4 ? Promise.reject(stop) : Promise.resolve()),
    };
    const before = everything();
    await expect(saved({ target: folder.file("pruned.onnx") }, context)).rejects.toBe(stop);
    expect(everything()).toEqual(before);
  });
});

describe("external data", () => {
  const target = (): string => folder.file("out/pruned.onnx");
  beforeEach(() => {
    path = folder.write("external.onnx", externalWeights());
    mkdirSync(folder.file("out"));
  });

  test("goes beside the target under its own names, folders and all", async () => {
    await saved({ target: target() });
    expect(Object.keys(everything(folder.file("out"))).sort()).toEqual(
      ["more/weights.bin", "pruned.onnx", "weights.bin"].map((name) => join(name)).sort(),
    );
  });

  test("of the original is not overwritten by a save beside it", async () => {
    await refused({ target: folder.file("pruned.onnx") }, "unsafe-path", /keeps weights in weights.bin/);
  });

  test("of another model is not overwritten", async () => {
    writeFileSync(folder.file("out/weights.bin"), "somebody's");
    await refused({ target: target() }, "unsafe-path", /may be another model's data/);
  });

  test("of another model is not overwritten by a save over a model without data", async () => {
    folder.write("out/pruned.onnx", mlp());
    writeFileSync(folder.file("out/weights.bin"), "somebody's");
    await refused({ target: target() }, "unsafe-path", /may be another model's data/);
  });

  test("does not follow a link out of the target's folder", async () => {
    mkdirSync(folder.file("elsewhere"));
    symlinkSync(folder.file("elsewhere"), folder.file("out/more"));
    await refused({ target: target() }, "unsafe-path", /more is a link out of .*Choose another folder/);
  });

  test("is not written over what a link leads to", async () => {
    writeFileSync(folder.file("precious.bin"), "somebody's");
    symlinkSync(folder.file("precious.bin"), folder.file("out/weights.bin"));
    await refused({ target: target() }, "unsafe-path", /weights.bin is a link to .*precious.bin/);
  });

  test("of a model that is a link is not taken apart: the file itself has to be opened", async () => {
    const link = folder.file("out/link.onnx");
    symlinkSync(path, link);
    await refused({ target: link, replaceOriginal: true }, "unsafe-path", /is a link to .*Open that file itself/);
  });

  test("that two tensors reach by two spellings is one file, and they overlap in it", async () => {
    const made = externalWeights();
    const third = made.proto.graph!.initializer[2]!;
    third.externalData[0]!.value = "./same.bin";
    made.proto.graph!.initializer[0]!.externalData[0]!.value = "same.bin";
    writeFileSync(folder.file("same.bin"), readFileSync(folder.file("weights.bin")));
    path = folder.write("same.onnx", { ...made, external: [] });
    writeFileSync(folder.file("weights.bin"), readFileSync(folder.file("same.bin")));
    await refused({ target: target() }, "malformed-model", /overlaps another one/);
  });

  test("of an older save is replaced together with it", async () => {
    await saved({ target: target() });
    await saved({ target: target(), recipe: { sparsity: 0.9 } });
    expect(reading(target(), ({ model }) => model.metadata.length)).toBe(3);
  });

  test("cannot be the target itself", async () => {
    await refused({ target: folder.file("out/weights.bin") }, "unsafe-path", /where the model's own data goes/);
  });

  test("is replaced with the original when that is confirmed", async () => {
    const before = everything();
    await saved({ target: path, replaceOriginal: true });
    const after = everything();
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    for (const name of ["external.onnx", "weights.bin"]) expect(after[name]).not.toBe(before[name]);
  });

  test("that two tensors share in part is refused: masking one would change the other", async () => {
    const made = externalWeights();
    const third = made.proto.graph!.initializer[2]!;
    // From `first`, but for its first element.
    const [location, offset] = third.externalData;
    location!.value = "weights.bin";
    offset!.value = "4";
    path = folder.write("overlap.onnx", made);
    await refused({ target: target() }, "malformed-model", /overlaps another one/);
  });

  test("leaves no file and no folder when the save fails", async () => {
    const before = everything();
    const context: JobContext = {
      ...quietContext(),
      progress: ({ stage, done, total }) => {
        if (stage === "Writing" && done === total) throw new Error("stop");
      },
    };
    await expect(saved({ target: target() }, context)).rejects.toThrow("stop");
    expect(everything()).toEqual(before);
    expect(existsSync(folder.file("out/more"))).toBe(false);
  });
});
