/** Job `open`: reads a model's structure. No weight is read and the runtime is not loaded. */
import type { ModelView } from "../../protocol/model.js";
import type { OpenParams } from "../../protocol/requests.js";
import { describeModel } from "./describe.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";

export async function open({ path }: OpenParams, context: JobContext): Promise<ModelView> {
  context.progress({ stage: "Reading the model", done: 0, total: 0 });
  return withModel(path, (model) => Promise.resolve(describeModel(model)));
}
