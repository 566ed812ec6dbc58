/** The network of paths of a test model. */
import { openLiveNetwork } from "../../server/src/analysis/open-live-network.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { LiveNetwork } from "../../server/src/autodiff/liveness/live-network.js";
import { magnitude } from "../../server/src/criteria/magnitude.js";
import { quietContext } from "./job-context.js";
import type { TestModel } from "./model-builder.js";
import { ModelFolder } from "./model-folder.js";

/** Hands the network to `use`, with the ids of the model's weights in their order. */
export async function withLiveNetwork<T>(
  made: TestModel,
  use: (network: LiveNetwork, ids: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = new ModelFolder();
  try {
    return await withModel(folder.write("model.onnx", made), async (open) => {
      const { network } = await openLiveNetwork(open, magnitude, { ...defaultRecipe, batch: 5 }, quietContext());
      try {
        return await use(
          network,
          open.search.weights.map(({ id }) => id),
        );
      } finally {
        await network.close();
      }
    });
  } finally {
    folder.dispose();
  }
}
