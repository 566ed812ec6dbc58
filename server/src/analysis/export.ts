/** Job `export`. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { ExportParams, ExportReport } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function exportScores(_params: ExportParams, _context: JobContext): Promise<ExportReport> {
  throw new PruneScopeError("internal", "Not there yet.");
}
