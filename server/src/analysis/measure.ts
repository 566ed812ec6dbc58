/** Job `measure`: conditioning and propagation, measured on data. */
import type { MeasureReport } from "../../protocol/insights.js";
import type { MeasureParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function measure(_params: MeasureParams, _context: JobContext): Promise<MeasureReport> {
  return Promise.reject(new Error("in the making"));
}
