/** Job `remedies`: what would keep layers alive, each computed. */
import type { RemediesReport } from "../../protocol/insights.js";
import type { RemediesParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function remedies(_params: RemediesParams, _context: JobContext): Promise<RemediesReport> {
  return Promise.reject(new Error("in the making"));
}
