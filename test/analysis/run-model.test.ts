/** Models of any format run by their path: what comes out is what the format's own runtime says. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { withModel } from "../../server/src/analysis/open-model.js";
import { bytesToRun } from "../../server/src/analysis/run-memory.js";
import { runModel, withRunning } from "../../server/src/analysis/run-model.js";
import { verify } from "../../server/src/analysis/verify.js";
import { outputNumbers } from "../../server/src/runtime/compare.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import {
  feedsOf,
  floats,
  graphModel,
  node,
  placeholder,
  runOriginal,
  twin,
  weight,
  writeTfjs,
} from "../support/tfjs/index.js";

let folder: ModelFolder;
beforeAll(() => {
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

/** Its kernels are above what the graph holds itself, so that they lie in shards only. */
const network = twin([8, 8, 3], (w, x) =>
  w.dense(w.flatten(w.activation(w.conv(x, "first", 40), "relu", "relu"), "flat"), "last", 5),
);

test.each([null, "uint8", "float16"] as const)(
  "quantised to %s, over several shards, it computes what TensorFlow.js does",
  async (quantise) => {
    const { layers } = await network;
    const path = writeTfjs(folder.file(`layers-${quantise}`), layers, {
      shardSize: 5000,
      ...(quantise === null ? {} : { quantise }),
    });
    const x = floats([2, 8, 8, 3], 4);
    const wanted = Object.values(await runOriginal(path, { x }, "cpu"))[0]!;
    const model = await withModel(path, (open) => Promise.resolve(open.model));
    await withRunning(path, 1, async (running) => {
      for (let run = 0; run < 2; run++) {
        const found = outputNumbers([...(await running.run(feedsOf(model, { x }))).values()][0]!);
        const scale = Math.max(...Array.from(wanted.data, Math.abs));
        // Sums of 2,560 float32 products in another order.
        const far = found.findIndex((value, i) => !(Math.abs(value - wanted.data[i]!) <= 1e-5 * scale));
        expect([found.length, far]).toEqual([10, -1]);
      }
    });
  },
);

test("what it needs of memory is told from what its codes decode to", async () => {
  const { layers, onnx } = await network;
  const whole = writeTfjs(folder.file("whole"), layers);
  const codes = writeTfjs(folder.file("codes"), layers, { quantise: "uint8" });
  const [decoded, stored] = await Promise.all(
    [whole, codes].map((path) => withModel(path, (open) => Promise.resolve(bytesToRun(open)))),
  );
  // float32 as the ONNX twin has them, and a few numbers that the graph holds of itself.
  expect(stored).toBe(decoded);
  const twinBytes = await withModel(folder.write("twin.onnx", onnx), ({ source }) => Promise.resolve(source.size()));
  expect(Math.abs(decoded! - twinBytes)).toBeLessThan(2000);
  const context = { ...quietContext(), settings: { threads: 1, memoryLimit: 0.05, cacheMaxSize: 1 } };
  await expect(
    verify({ uri: codes, path: codes, pruned: codes, seed: 0, dynamicAxes: {} }, context),
  ).rejects.toMatchObject({
    code: "out-of-memory",
  });
});

test("an operator that has no lowering is named with the model", async () => {
  const path = writeTfjs(
    folder.file("unknown"),
    graphModel({
      inputs: [placeholder("x", [2, 3])],
      weights: [weight("w", [3, 2], [1, 2, 3, 4, 5, 6])],
      nodes: [node("NoSuchOperator", "strange", ["x"]), node("MatMul", "y", ["strange", "w"])],
      outputs: ["y"],
    }),
  );
  await expect(runModel(path, {}, 1)).rejects.toMatchObject({
    code: "unsupported-op",
    message: expect.stringContaining("NoSuchOperator") as string,
  });
});
