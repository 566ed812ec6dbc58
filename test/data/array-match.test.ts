/** Which array belongs to which weight: exact names, one prefix for all, PyTorch's modules, endings; and never two for one. */
import { afterAll, describe, expect, it } from "vitest";
import { arrayNames } from "../../server/src/data/array-names.js";
import { matchArrays } from "../../server/src/data/array-match.js";
import type { PrunableWeight } from "../../server/src/graph/prunable.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { namedMlp } from "../support/model-networks.js";
import type { TestModel } from "../support/model-builder.js";
import { exportedNames, torchNetwork, torchShapes } from "../support/torch-network.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const weightsOf = (made: TestModel): readonly PrunableWeight[] =>
  reading(folder.write("model.onnx", made), ({ search }) => search.weights);

/** Layers of these names, two by two. */
const layers = (...names: string[]): readonly PrunableWeight[] =>
  weightsOf(namedMlp(names, [2, ...names.map(() => 2)], 1));

/** Array of each weight, by the weight's name. */
function matched(names: readonly string[], weights: readonly PrunableWeight[]): Record<string, string | null> {
  const { matches } = matchArrays(names, weights);
  return Object.fromEntries(weights.map(({ name }, i) => [name, matches[i]?.name ?? null]));
}

const resNet = ["conv1.weight", "layer1.0.conv1.weight", "layer1.1.conv1.weight", "fc.weight"];

describe("names", () => {
  it("that are equal belong together, and the rest is said to be unused", () => {
    const { matches, unused } = matchArrays(["conv1.bias", ...resNet], layers(...resNet));
    expect(matches.map((match) => match?.name)).toEqual(resNet);
    expect(unused).toEqual(["conv1.bias"]);
  });

  it.each(["model.", "module.", "module.model.", "net/"])("may all have %s in front, on either side", (prefix) => {
    const longer = resNet.map((name) => prefix + name);
    expect(matched(longer, layers(...resNet))).toEqual(Object.fromEntries(resNet.map((name) => [name, prefix + name])));
    expect(matched(resNet, layers(...longer))).toEqual(Object.fromEntries(resNet.map((name) => [prefix + name, name])));
  });

  it("of Keras may end in an output's number, and have the model in front", () => {
    expect(matched(["dense/kernel:0", "dense_1/kernel:0"], layers("m/dense/kernel", "m/dense_1/kernel"))).toEqual({
      "m/dense/kernel": "dense/kernel:0",
      "m/dense_1/kernel": "dense_1/kernel:0",
    });
  });

  it("that could belong to several belong to none", () => {
    expect(matched(["weight"], layers("a.weight", "b.weight"))).toEqual({ "a.weight": null, "b.weight": null });
    expect(matched(["x.a.weight", "y.a.weight"], layers("a.weight"))).toEqual({ "a.weight": null });
    expect(matched(["ona.weight"], layers("a.weight"))).toEqual({ "a.weight": null });
  });

  it("take no array twice", () => {
    const names = ["conv1.weight", "model.conv1.weight"];
    const weights = layers("conv1.weight", "layer1.0.conv1.weight");
    const { matches, unused } = matchArrays(names, weights);
    expect(matches[0]).toEqual({ name: "conv1.weight", ofModule: false });
    const taken = matches.flatMap((match) => (match === null ? [] : [match.name]));
    expect([...taken, ...unused].sort()).toEqual([...names].sort());
  });

  it("written by an export are found again, whatever their order", () => {
    const weights = weightsOf(torchNetwork());
    const names = arrayNames(weights);
    expect(matchArrays([...names].reverse(), weights).matches.map((match) => match?.name)).toEqual(names);
  });
});

describe("PyTorch's modules", () => {
  it("are known by the names of nodes where weights have lost theirs", () => {
    const weights = weightsOf(torchNetwork());
    const { matches, unused } = matchArrays(Object.keys(torchShapes), weights);
    expect(unused).toEqual([]);
    weights.forEach(({ name }, i) => {
      const { name: array, ofModule } = matches[i]!;
      expect(exportedNames[array]).toBe(name);
      expect(ofModule).toBe(name.startsWith("onnx::"));
    });
  });

  it("may have a prefix too", () => {
    const weights = weightsOf(torchNetwork());
    const names = Object.keys(torchShapes).map((name) => `module.${name}`);
    const { matches } = matchArrays(names, weights);
    expect(matches.map((match, i) => [exportedNames[match!.name.slice("module.".length)], weights[i]!.name])).toEqual(
      weights.map(({ name }) => [name, name]),
    );
  });
});
