// A server must not outlive the run that started it, also when that run is killed and no `finally` is reached
// (test runners end their workers so). The server's standard input is a pipe from us, which the system closes
// when we are gone however that came about; a module loaded before the server waits for that.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Writes the module into `folder` and returns the Node arguments that load it.
 *
 * When the input ends, it removes `folder` and kills the process group that the server leads.
 */
export async function endWithParent(folder: string): Promise<readonly string[]> {
  const file = join(folder, "end-with-parent.cjs");
  await writeFile(
    file,
    `
process.execArgv.length = 0; // Processes that the server forks do not load this.
process.stdin.resume().on("error", () => {}).on("close", () => {
  try { require("node:fs").rmSync(${JSON.stringify(folder)}, { recursive: true, force: true }); } catch {}
  process.kill(-process.pid, "SIGKILL");
});
`,
  );
  return ["--require", file];
}
