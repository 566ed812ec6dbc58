/**
 * Laws of saving TensorFlow.js models, on whole folders and with a reader of the test's own: outside the edited elements
 * every byte of every shard is what it was, weights that straddle shards among them, and model.json differs by what is
 * put into it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sequential, layers } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import type { WriteOptions } from "../../../server/src/formats/format.js";
import { blockElements, storedElements } from "../../../server/src/formats/stored-elements.js";
import { ModelFolder } from "../../support/model-folder.js";
import {
  floats,
  folderHandler,
  type FolderOptions,
  graphModel,
  largestDifference,
  layersModel,
  node,
  placeholder,
  readWeights,
  runLowered,
  runOriginal,
  type TfjsModel,
  useBackend,
  weight,
  writeTfjs,
} from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

let small: TfjsModel;
/** A dense kernel of more elements than two blocks. */
let wide: TfjsModel;
beforeAll(async () => {
  small = await layersModel(() =>
    sequential({
      layers: [
        layers.conv2d({ inputShape: [6, 6, 3], filters: 5, kernelSize: 3, activation: "relu", name: "conv" }),
        layers.flatten({ name: "flat" }),
        layers.dense({ units: 7, name: "dense" }),
      ],
    }),
  );
  const elements = 2 * blockElements + 120;
  wide = graphModel({
    inputs: [placeholder("x", [null, 8])],
    weights: [
      weight(
        "k",
        [8, elements / 8],
        Float32Array.from({ length: elements }, (_, i) => Math.sin(i)),
      ),
      weight("c", [3], [1, 2, 3]),
    ],
    nodes: [node("MatMul", "y", ["x", "k"], { transpose_a: false, transpose_b: false })],
    outputs: ["y"],
  });
});

/** Whether element `i` of the `w`-th weight goes. */
const goes = (w: number, i: number): boolean => (i * 7 + w) % 3 === 0;

/** Saves the model at `path` with every weight's elements that go cleared. */
async function clearedCopy(path: string, target: string, options: Partial<WriteOptions> = {}): Promise<void> {
  await withModel(path, ({ format, source, model, search }) =>
    format.write(source, model, {
      target,
      replaceOriginal: false,
      edits: search.weights.map((one, w) => {
        const elements = storedElements(source, one);
        return {
          name: one.name,
          tensor: one.tensor,
          elements,
          edit: (bytes, start, count) => {
            elements.clear(
              bytes,
              start,
              Uint8Array.from({ length: count }, (_, i) => (goes(w, start + i) ? 0 : 1)),
            );
          },
        };
      }),
      scales: [],
      provenance: [],
      progress: () => Promise.resolve(),
      beforeCommit: () => undefined,
      ...options,
    }),
  );
}

/** Names of the weights that pruning touches, in their order. */
const prunableOf = (path: string): Promise<string[]> =>
  withModel(path, ({ search }) => Promise.resolve(search.weights.map(({ name }) => name)));

let copies = 0;
function written(model: TfjsModel, options: FolderOptions = {}): { readonly path: string; readonly target: string } {
  const place = folder.file(`case${copies++}`);
  return { path: writeTfjs(join(place, "in"), model, options), target: join(place, "out", "model.json") };
}

/** A shard size that is no multiple of any element's. */
const odd = 101;

describe.each<[string, () => TfjsModel, FolderOptions]>([
  ["float32 in one shard", () => small, {}],
  ["float32 over many shards", () => small, { shardSize: odd }],
  ["float32 over many shards of two groups", () => small, { shardSize: odd, groups: 2 }],
  ["uint8", () => small, { shardSize: odd, quantise: "uint8" }],
  ["uint16", () => small, { shardSize: odd, quantise: "uint16", groups: 2 }],
  ["float16", () => small, { shardSize: odd, quantise: "float16" }],
  ["mixed", () => small, { shardSize: odd, quantise: (name) => (name.startsWith("conv") ? "uint8" : "float16") }],
  ["blocks that straddle shards", () => wide, { shardSize: 70_001 }],
  ["blocks of codes that straddle shards", () => wide, { shardSize: 40_001, quantise: "uint16" }],
])("%s", (_name, make, options) => {
  test("elements that go become the code nearest to 0, and no other byte changes", async () => {
    const { path, target } = written(make(), options);
    await clearedCopy(path, target);
    const names = await prunableOf(path);
    expect(names.length).toBeGreaterThan(0);
    const [before, after] = [readWeights(path), readWeights(target)];
    let cleared = 0;
    for (const [name, was] of before) {
      const is = after.get(name)!;
      const w = names.indexOf(name);
      if (w < 0) {
        expect(Buffer.compare(is.bytes, was.bytes), name).toBe(0);
        continue;
      }
      const nearest = was.values.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
      const width = was.bytes.length / was.codes.length;
      for (let i = 0; i < was.codes.length; i++) {
        if (!goes(w, i)) {
          const kept = was.bytes
            .subarray(i * width, (i + 1) * width)
            .equals(is.bytes.subarray(i * width, (i + 1) * width));
          if (!kept) expect.fail(`element ${i} of "${name}" was kept and has changed`);
          continue;
        }
        cleared++;
        const value = Math.abs(is.values[i]!);
        const scale = was.quantization?.scale;
        // Nothing that is stored lies nearer to 0, and no code would: neighbours are one scale apart.
        if (scale === undefined ? value !== 0 : value > Math.min(nearest, scale / 2 + 1e-7))
          expect.fail(`element ${i} of "${name}" went and is ${value}`);
      }
    }
    expect(cleared).toBeGreaterThan(50);
    expect(readdirSync(dirname(target)).sort()).toEqual(readdirSync(dirname(path)).sort());
    for (const name of readdirSync(dirname(path)))
      expect(readFileSync(join(dirname(target), name)).length, name).toBe(
        readFileSync(join(dirname(path), name)).length,
      );
    expect(readFileSync(target).equals(readFileSync(path))).toBe(true);
  });
});

describe("a saved model", () => {
  test.each<[string, () => TfjsModel, readonly number[]]>([
    ["of layers", () => small, [2, 6, 6, 3]],
    ["of operators", () => wide, [2, 8]],
  ])("%s loads in tfjs, with its metadata, and predicts what its lowered graph does", async (_name, make, shape) => {
    const { path, target } = written(make(), { shardSize: 4001, quantise: "uint8" });
    const provenance = [{ key: "prunescope.recipe", value: JSON.stringify({ criterion: "snip" }) }];
    await clearedCopy(path, target, { provenance });
    const input = await withModel(path, ({ model }) => Promise.resolve(model.graph.inputs[0]!.name));
    const inputs = { [input]: floats(shape) };
    const original = await runOriginal(target, inputs, "cpu");
    // Sums of some thousand products of float32, in another order.
    expect(largestDifference(original, await runLowered(target, inputs))).toBeLessThan(1e-5);
    expect(largestDifference(original, await runOriginal(path, inputs, "cpu"))).toBeGreaterThan(1e-2);
    const { userDefinedMetadata } = await folderHandler(target).load!();
    expect(userDefinedMetadata).toEqual({ prunescope: { recipe: '{"criterion":"snip"}' } });
  });
});

describe("provenance", () => {
  const records = [
    { key: "prunescope.version", value: "1.2.3" },
    { key: "prunescope.recipe", value: '{"text": "käse ∂ \\" \\\\"}' },
  ];
  const fields = { version: "1.2.3", recipe: '{"text": "käse ∂ \\" \\\\"}' };

  /** Text of a model.json made of the parts of a real one, and what a save with the records makes of it. */
  async function savedText(
    text: (topology: string, manifest: string) => string,
  ): Promise<[before: string, after: string]> {
    const { path, target } = written(small);
    const { modelTopology, weightsManifest } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, text(JSON.stringify(modelTopology), JSON.stringify(weightsManifest)));
    await clearedCopy(path, target, { provenance: records });
    const metadata = await withModel(target, ({ model }) => Promise.resolve(model.metadata));
    expect(metadata.slice(-records.length).map(({ value }) => value)).toEqual(records.map(({ value }) => value));
    return [readFileSync(path, "utf8"), readFileSync(target, "utf8")];
  }

  const body = (topology: string, manifest: string): string =>
    `"modelTopology":${topology},"weightsManifest":${manifest}`;
  const inserted = `"userDefinedMetadata":${JSON.stringify({ prunescope: fields })}`;
  const own = `"prunescope":${JSON.stringify(fields)}`;

  test.each<[string, (t: string, m: string) => string, string]>([
    ["in one line", (t, m) => `{${body(t, m)}}`, `,${inserted}`],
    ["indented", (t, m) => `{\n\t"modelTopology": ${t},\n\t"weightsManifest": ${m}\n}\n`, `,\n\t${inserted}`],
    ["behind a byte order mark", (t, m) => `\ufeff{"author": "Jürgen ∂", ${body(t, m)} }`, `,${inserted}`],
    [
      "into metadata of others",
      (t, m) => `{"userDefinedMetadata": { "a": [1, {"b": "}"}] }, ${body(t, m)}}`,
      `, ${own}`,
    ],
    ["into empty metadata", (t, m) => `{"userDefinedMetadata": { }, ${body(t, m)}}`, own],
    [
      "past what looks like it",
      (t, m) => `{"x": {"userDefinedMetadata": {"y": 1}}, "s": "\\\\\\"{", ${body(t, m)}}`,
      ` ,${inserted}`,
    ],
  ])("is put %s, and every other character stays", async (_name, text, added) => {
    const [before, after] = await savedText(text);
    const at = after.indexOf(added.trimStart());
    expect(at).toBeGreaterThan(0);
    const wanted = added.trimStart();
    expect(after.slice(0, at) + after.slice(at + wanted.length)).toBe(before);
  });

  test("takes the place of null", async () => {
    const [before, after] = await savedText((t, m) => `{"userDefinedMetadata":null,${body(t, m)}}`);
    expect(after).toBe(before.replace("null", `{${own}}`));
  });

  test("of a save before stays beside it", async () => {
    const [before, after] = await savedText(
      (t, m) => `{${body(t, m)},"userDefinedMetadata":{"prunescope":{"recipe":"older"}}}`,
    );
    const more = `,${JSON.stringify({ version: fields.version, "recipe.2": fields.recipe }).slice(1, -1)}`;
    expect(after).toBe(before.replace('"older"', `"older"${more}`));
  });

  test.each(["[1]", '"text"', "7", '{"prunescope":[]}'])("is refused where %s stands", async (value) => {
    await expect(savedText((t, m) => `{"userDefinedMetadata":${value},${body(t, m)}}`)).rejects.toMatchObject({
      code: "malformed-model",
      message: expect.stringContaining("--no-metadata") as string,
    });
  });
});

describe("places", () => {
  const refusal = (words: RegExp) => ({ code: "unsafe-path", message: expect.stringMatching(words) as string });

  test("the original's own folder is refused, whatever the new name, unless it is to be replaced", async () => {
    const { path } = written(small, { shardSize: odd });
    const shard = join(dirname(path), readdirSync(dirname(path))[0]!);
    const before = readFileSync(shard);
    const beside = join(dirname(path), "pruned.json");
    await expect(clearedCopy(path, path)).rejects.toMatchObject(refusal(/is the original model/));
    await expect(clearedCopy(path, beside)).rejects.toMatchObject(refusal(/keeps weights in .*Choose another folder/));
    expect(existsSync(beside)).toBe(false);
    await clearedCopy(path, path, { replaceOriginal: true });
    expect(readFileSync(shard).equals(before)).toBe(false);
  });

  test("another model's shards are refused, those of an older save are replaced with it", async () => {
    const { path, target } = written(small);
    const shard = join(dirname(target), "group1-shard1of1.bin");
    mkdirSync(dirname(target));
    writeFileSync(shard, "another model's");
    await expect(clearedCopy(path, target)).rejects.toMatchObject(refusal(/is there already/));
    expect(readFileSync(shard, "utf8")).toBe("another model's");
    const again = written(small);
    await clearedCopy(again.path, again.target, { edits: [] });
    const older = readFileSync(join(dirname(again.target), "group1-shard1of1.bin"));
    await clearedCopy(again.path, again.target);
    expect(readFileSync(join(dirname(again.target), "group1-shard1of1.bin")).equals(older)).toBe(false);
  });

  test("a folder of shards that is a link out is refused", async () => {
    const { path, target } = written(small);
    const json = readFileSync(path, "utf8").replace("group1-shard1of1.bin", "data/s.bin");
    mkdirSync(join(dirname(path), "data"));
    writeFileSync(join(dirname(path), "data/s.bin"), readFileSync(join(dirname(path), "group1-shard1of1.bin")));
    writeFileSync(path, json);
    mkdirSync(dirname(target));
    const elsewhere = folder.place();
    symlinkSync(elsewhere, join(dirname(target), "data"));
    await expect(clearedCopy(path, target)).rejects.toMatchObject(refusal(/is a link out/));
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readdirSync(dirname(target))).toEqual(["data"]);
  });

  test("a save that is stopped leaves nothing, not even the folder that it made", async () => {
    const { path, target } = written(small, { shardSize: odd });
    const stop = (): never => {
      throw new Error("stopped");
    };
    await expect(clearedCopy(path, target, { beforeCommit: stop })).rejects.toThrow("stopped");
    expect(existsSync(dirname(target))).toBe(false);
  });

  test("a shard of two groups is refused", async () => {
    const { path, target } = written(small, { groups: 2 });
    const json = JSON.parse(readFileSync(path, "utf8")) as {
      weightsManifest: { paths: string[]; weights: { name: string }[] }[];
    };
    const [first] = json.weightsManifest;
    json.weightsManifest.push({
      paths: first!.paths,
      weights: first!.weights.map((one) => ({ ...one, name: `${one.name}2` })),
    });
    writeFileSync(path, JSON.stringify(json));
    await expect(clearedCopy(path, target)).rejects.toMatchObject({ code: "malformed-model", message: /two groups/ });
    expect(existsSync(dirname(target))).toBe(false);
  });
});

test("a factor has no place in a topology: the refusal offers to fold it", async () => {
  await useBackend("cpu");
  const { path, target } = written(wide);
  await withModel(path, async ({ model }) => {
    const scales = [{ node: model.graph.nodes[0]!, input: 0, factor: 0.5, dtype: "float" as const }];
    await expect(clearedCopy(path, target, { scales })).rejects.toMatchObject({
      code: "unsupported-op",
      message: expect.stringMatching(/no place for a factor .*--stable-resnet fold/) as string,
    });
  });
  expect(existsSync(dirname(target))).toBe(false);
});
