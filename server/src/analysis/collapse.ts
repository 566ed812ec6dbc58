/** Job `collapse`: which layers die in which order, and what is left that works. */
import type { CollapseReport } from "../../protocol/insights.js";
import type { CollapseParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function collapse(_params: CollapseParams, _context: JobContext): Promise<CollapseReport> {
  return Promise.reject(new Error("in the making"));
}
