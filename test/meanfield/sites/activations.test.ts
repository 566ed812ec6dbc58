/** Activations are recognised however they are written, and are what the graph computes. */
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ActivationPattern,
  activationOperators,
  activationPatterns,
  noActivations,
} from "../../cases/activation-patterns.js";
import { around, firstSite, floats, kindsOf } from "../../support/layer-sites.js";
import { ModelFolder } from "../../support/model-folder.js";
import { model, modelBytes, node, tensor, type TestModel, value, weight } from "../../support/models.js";
import { runBytes } from "../../support/run-model.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const modelOf = ({ nodes, constants = {}, opset = 17, domains = {} }: ActivationPattern): TestModel =>
  around(nodes, { opset, domains, initializers: floats(constants) });

const inputs = Float32Array.from({ length: 241 }, (_, i) => (i - 120) / 20 + 0.003);

/** What the graph from `u` to `v` computes on the grid. */
async function computed({ nodes, constants = {}, opset = 17, domains = {} }: ActivationPattern): Promise<Float32Array> {
  const made = model({
    opset,
    domains,
    graph: {
      nodes,
      inputs: [value("u", "float", [inputs.length])],
      outputs: [value("v", "float", null)],
      initializers: floats(constants),
    },
  });
  const { v } = await runBytes(modelBytes(made), { u: new ort.Tensor("float32", inputs, [inputs.length]) });
  return v!.data as Float32Array;
}

/** float32 and the approximations of ONNX Runtime's kernels, and constants that a file rounds to float32. */
const tolerance = 1e-6;

const titled = (list: readonly ActivationPattern[]): [string, ActivationPattern][] =>
  list.map((pattern) => [`${pattern.title}: ${pattern.name}`, pattern]);

describe("an activation", () => {
  it.each(titled([...activationOperators, ...activationPatterns]))("%s", async (_, pattern) => {
    const { activation, limits } = await firstSite(folder, modelOf(pattern));
    expect(activation?.name).toBe(pattern.name);
    expect(limits).toEqual([]);
    const values = await computed(pattern);
    inputs.forEach((u, i) => {
      const error = Math.abs(values[i]! - activation!.value(u));
      expect(error, `at ${u}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(u)));
    });
  });

  it.each(titled(noActivations))("is not what is none of ours: %s", async (_, pattern) => {
    const site = await firstSite(folder, modelOf(pattern));
    expect(site.activation).toBeNull();
    expect(kindsOf(site)).toEqual([pattern.kind ?? "unknown-activation"]);
    expect(site.limits[0]!.words).toMatch(/measured values are shown\.$/);
  });

  it("is found behind operators that move elements, and behind the bias", async () => {
    const site = await firstSite(
      folder,
      around(
        [
          node("Add", ["bias", "u"], ["a"]),
          node("Reshape", ["a", "shape"], ["b"]),
          node("Dropout", ["b"], ["c"]),
          node("Transpose", ["c"], ["d"], { perm: [1, 0] }),
          node("Tanh", ["d"], ["e"]),
          node("Transpose", ["e"], ["v"], { perm: [1, 0] }),
        ],
        { initializers: [...floats({ bias: [1, 2, 3, 4, 5, 6] }), tensor("shape", "int64", [2], [4, 6])] },
      ),
    );
    expect(site).toMatchObject({ activation: { name: "tanh" }, limits: [], bias: { name: "bias" } });
  });

  it("is inside a fused convolution", async () => {
    const made = model({
      domains: { "com.microsoft": 1 },
      graph: {
        nodes: [
          node(
            "FusedConv",
            ["x", "first"],
            ["u"],
            { activation: "LeakyRelu", activation_params: { floats: [0.25] } },
            { domain: "com.microsoft" },
          ),
          node("Conv", ["u", "second"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 3, 8, 8])],
        outputs: [value("y", "float", null)],
        initializers: [weight("first", [4, 3, 3, 3], 1), weight("second", [4, 4, 1, 1], 2)],
      },
    });
    const site = await firstSite(folder, made);
    expect(site).toMatchObject({ activation: { name: "leaky-relu(alpha=0.25)" }, limits: [], fanIn: 27 });
  });
});
