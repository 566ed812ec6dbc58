/** Work in the background leaves the processor to the editor. */
import { constants, setPriority } from "node:os";

/** Lowers the priority of this process. */
export function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not allowed in some containers; it is a courtesy, not a need.
  }
}
