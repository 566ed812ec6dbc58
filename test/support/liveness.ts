/** The network of paths of a test model. */
import { constantTensor } from "../../server/src/autodiff/constant-tensor.js";
import { LiveNetwork } from "../../server/src/autodiff/liveness/live-network.js";
import { makeTrainable } from "../../server/src/autodiff/trainable.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { openDataset } from "../../server/src/data/open.js";
import type { TestModel } from "./model-builder.js";
import { ModelFolder } from "./model-folder.js";

/** Hands the network to `use`, with the ids of the model's weights in their order. */
export async function withLiveNetwork<T>(
  made: TestModel,
  use: (network: LiveNetwork, ids: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = new ModelFolder();
  try {
    return await withModel(folder.write("model.onnx", made), async ({ model, source, search: { weights } }) => {
      const data = await openDataset(null, model.graph, { seed: 0, dynamicAxes: {}, batch: 5 });
      const count = data.samplesPerRun ?? 1;
      const trainable = await makeTrainable(model, {
        source,
        weights,
        inputShapes: data.shapes(count),
        runs: 1,
        feeds: async () => (await data.batch(0, count)).feeds,
        unrolled: true,
        threads: 1,
      });
      const constant: Parameters<typeof LiveNetwork.open>[0]["constant"] = (one) => constantTensor(source, one);
      const network = await LiveNetwork.open({ ...trainable, threads: 1, constant });
      try {
        return await use(
          network,
          weights.map(({ id }) => id),
        );
      } finally {
        await network.close();
      }
    });
  } finally {
    folder.dispose();
  }
}
