/** Which files a command is about, and where a batch of outputs goes. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { modelsOf } from "../../server/src/cli/models.js";
import { isFolderName, targetOf, targetsIn } from "../../server/src/cli/targets.js";
import { ModelFolder } from "../support/model-folder.js";

let folder: ModelFolder;
let place: string;
const names = [
  "b.onnx",
  "a.onnx",
  "with space.onnx",
  "[x].onnx",
  "UPPER.ONNX",
  "deep/er/ä.onnx",
  "deep/a.onnx",
  "notes.txt",
];
const models = {
  "web/mobilenet/model.json": '{"format":"graph-model","modelTopology":{"node":[]}}',
  "web/named.json": '{"modelTopology":{"class_name":"Sequential"}}',
  "web/package.json": '{"name":"web","format":"none"}',
  "web/none/other.json": "{",
};
beforeAll(() => {
  folder = new ModelFolder();
  place = folder.place();
  for (const [name, content] of [...names.map((name) => [name, ""] as const), ...Object.entries(models)]) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), content);
  }
});
afterAll(() => {
  folder.dispose();
});

describe("models of a command", () => {
  const found = async (...args: string[]): Promise<{ names: string[]; several: boolean }> => {
    const { paths, several } = await modelsOf(args, place);
    return { names: paths.map((path) => path.slice(place.length + 1).replaceAll("\\", "/")), several };
  };

  it.each([
    ["one file", ["a.onnx"], ["a.onnx"], false],
    ["a file that is not there", ["absent.onnx"], ["absent.onnx"], false],
    ["a file with the signs of a glob", ["[x].onnx"], ["[x].onnx"], false],
    ["files in their order, each once", ["b.onnx", "a.onnx", "./b.onnx"], ["b.onnx", "a.onnx"], true],
    ["a glob by name", ["*.onnx"], ["[x].onnx", "a.onnx", "b.onnx", "with space.onnx"], true],
    ["a glob of one file", ["w*.onnx"], ["with space.onnx"], true],
    ["models alone", ["*"], ["UPPER.ONNX", "[x].onnx", "a.onnx", "b.onnx", "with space.onnx"], true],
    ["folders below", ["deep/**/*.onnx"], ["deep/a.onnx", "deep/er/ä.onnx"], true],
    ["a choice", ["{a,b}.onnx"], ["a.onnx", "b.onnx"], true],
    ["globs and files together", ["b.onnx", "?.onnx"], ["b.onnx", "a.onnx"], true],
    ["the folder of a TensorFlow.js model", ["web/mobilenet"], ["web/mobilenet/model.json"], false],
    ["JSON that is no model, where it is named", ["web/package.json"], ["web/package.json"], false],
    ["of JSON in a glob models alone", ["web/**/*.json"], ["web/mobilenet/model.json", "web/named.json"], true],
    ["models of any format", ["web/*.json", "b*"], ["web/named.json", "b.onnx"], true],
  ])("%s", async (_, args, expected, several) => {
    expect(await found(...args)).toEqual({ names: expected, several });
  });

  it("refuses a glob that no model matches", async () => {
    for (const pattern of ["none*.onnx", "*.txt", "deep*/*.pt", "web/p*.json", "web/none"])
      await expect(found("a.onnx", pattern)).rejects.toMatchObject({ code: "missing-data" });
  });
});

describe("outputs of a batch", () => {
  const recipe = { ...defaultRecipe, sparsity: 0.5 };
  const targets = (inputs: readonly string[], out = "out"): string[] =>
    [
      ...targetsIn(
        join(place, out),
        inputs.map((name) => join(place, name)),
        recipe,
      ).values(),
    ].map((path) => path.slice(place.length + 1).replaceAll("\\", "/"));

  it("have names that say what was done, below the folder that the inputs share", () => {
    expect(targets(["a.onnx", "b.onnx"])).toEqual(["out/a.magnitude-50.onnx", "out/b.magnitude-50.onnx"]);
    expect(targets(["a.onnx", "deep/a.onnx", "deep/er/ä.onnx"])).toEqual([
      "out/a.magnitude-50.onnx",
      "out/deep/a.magnitude-50.onnx",
      "out/deep/er/ä.magnitude-50.onnx",
    ]);
    expect(targets(["deep/a.onnx", "deep/er/a.onnx"])).toEqual([
      "out/a.magnitude-50.onnx",
      "out/er/a.magnitude-50.onnx",
    ]);
  });

  it("of TensorFlow.js are folders of their own, which bear the name", () => {
    expect(targets(["web/mobilenet/model.json"])).toEqual(["out/mobilenet.magnitude-50/model.json"]);
    expect(targets(["web/mobilenet/model.json", "web/named.json", "a.onnx"])).toEqual([
      "out/web/mobilenet.magnitude-50/model.json",
      "out/web/named.magnitude-50/named.json",
      "out/a.magnitude-50.onnx",
    ]);
    expect(targets(["web/x/model.json", "web/y/model.json"])).toEqual([
      "out/x.magnitude-50/model.json",
      "out/y.magnitude-50/model.json",
    ]);
  });

  it("of one model is what is named, or its file in the folder that is", () => {
    const one = (output: string, path: string): string => relative(place, targetOf(join(place, output), path));
    expect(one("p.onnx", "m.onnx")).toBe("p.onnx");
    expect(one("pruned", "web/mobilenet/model.json")).toBe(join("pruned", "model.json"));
    expect(one("pruned/other.json", "web/mobilenet/model.json")).toBe(join("pruned", "other.json"));
    expect(one("p.onnx", "web/mobilenet/model.json")).toBe("p.onnx");
  });

  it("as ONNX are files of that name, whatever the models are", () => {
    const paths = ["a.onnx", "web/mobilenet/model.json"].map((name) => join(place, name));
    expect(
      [...targetsIn(join(place, "out"), paths, recipe, "onnx").values()].map((path) => relative(place, path)),
    ).toEqual([join("out", "a.magnitude-50.onnx"), join("out", "web", "mobilenet.magnitude-50.onnx")]);
    expect(() => targetOf("pruned", paths[1]!, "onnx")).toThrow(/must end in \.onnx/);
  });

  it("never are an input, by whatever name", () => {
    const input = "a.magnitude-50.onnx";
    writeFileSync(join(place, input), "");
    symlinkSync(join(place), join(place, "link"));
    for (const out of [".", "link", "./deep/.."])
      expect(() => targets(["a.onnx", input], out)).toThrow(expect.objectContaining({ code: "bad-request" }));
    expect(() => targets(["a.onnx", "A.MAGNITUDE-50.onnx"], ".")).toThrow(/would overwrite/);
  });

  it("never are one file, on a file system that does not tell letters apart either", () => {
    expect(() => targets(["a.onnx", "A.onnx"])).toThrow(/would overwrite/);
    expect(() => targets(["\u00e4.onnx", "a\u0308.onnx"])).toThrow(/would overwrite/);
  });

  it("go into no file", () => {
    expect(() => targets(["a.onnx", "b.onnx"], "notes.txt")).toThrow(/is a file/);
  });

  it("are a folder where they end like one", () => {
    expect(["out/", "out", "out.onnx"].map(isFolderName)).toEqual([true, false, false]);
  });
});
