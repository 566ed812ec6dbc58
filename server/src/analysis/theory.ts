/** Job `theory`: what mean-field theory says of the model's layers, from their weights alone. */
import type { TheoryReport } from "../../protocol/insights.js";
import type { TheoryParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function theory(_params: TheoryParams, _context: JobContext): Promise<TheoryReport> {
  return Promise.reject(new Error("in the making"));
}
