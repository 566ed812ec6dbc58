/**
 * **PruneScope: Show Log**
 *
 * What it does: reveals the output channel with what the extension, the server and the engine had to say.
 * What gates it: nothing. What the user sees: the Output panel with *PruneScope* chosen.
 */
import type { PruneScope } from "./context.js";

/** Registers the command. */
export function activate(context: PruneScope): void {
  context.command("prunescope.showLog", () => {
    context.log.show();
  });
}
