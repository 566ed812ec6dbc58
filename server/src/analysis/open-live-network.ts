/** From an open model to the network of its paths: branches decided, recurrent layers unrolled, weights as inputs. */
import type { Recipe } from "../../protocol/recipe.js";
import { constantTensor } from "../autodiff/constant-tensor.js";
import { LiveNetwork } from "../autodiff/liveness/live-network.js";
import { makeTrainable } from "../autodiff/trainable.js";
import type { Criterion } from "../criteria/criterion.js";
import { openDataset } from "../data/open.js";
import type { Constant } from "../graph/graph.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";

/** The network of the paths of `open` at the shapes of the recipe, and sentences about the way to it. Whoever opens it closes it. */
export async function openLiveNetwork(
  open: OpenModel,
  criterion: Criterion,
  recipe: Recipe,
  context: JobContext,
): Promise<{ readonly network: LiveNetwork; readonly notes: readonly string[] }> {
  const { model, source, search } = open;
  const { seed, batch, mean, std, axes } = recipe;
  const { threads } = context.settings;
  const data = await openDataset(criterion.needs.data ? (recipe.data ?? null) : null, model.graph, {
    seed,
    dynamicAxes: axes,
    batch,
    ...(mean === undefined ? {} : { mean }),
    ...(std === undefined ? {} : { std }),
  });
  const count = data.samplesPerRun ?? 1;
  const trainable = await makeTrainable(model, {
    source,
    weights: search.weights,
    inputShapes: data.shapes(count),
    runs: 1,
    feeds: async () => (await data.batch(0, count)).feeds,
    unrolled: true,
    threads,
  });
  await context.checkpoint();
  const constant = (one: Constant): ReturnType<typeof constantTensor> => constantTensor(source, one);
  return { network: await LiveNetwork.open({ ...trainable, threads, constant }), notes: trainable.notes };
}
