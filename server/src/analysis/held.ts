/** Job `held`. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { HeldReport } from "../../protocol/sparsity.js";
import type { HeldParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";

export function held(_params: HeldParams, _context: JobContext): Promise<HeldReport> {
  throw new PruneScopeError("internal", "Not there yet.");
}
