/** Job `compare`. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { CompareReport } from "../../protocol/compare.js";
import type { CompareParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function compare(_params: CompareParams, _context: JobContext): Promise<CompareReport> {
  throw new PruneScopeError("internal", "Not there yet.");
}
