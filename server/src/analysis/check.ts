/** Job `check`. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { CheckReport } from "../../protocol/sparsity.js";
import type { CheckParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function check(_params: CheckParams, _context: JobContext): Promise<CheckReport> {
  throw new PruneScopeError("internal", "Not there yet.");
}
