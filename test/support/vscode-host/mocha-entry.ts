// Runs inside the extension host: VS Code, or @vscode/test-electron through it, loads the built form of this
// module and calls `run()`. It runs every `*.suite.cjs` that was built into the same folder.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";

/** Runs the suite; rejects, which makes VS Code exit with code 1, when a test fails or there is none. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", reporter: "spec", color: false, timeout: 60_000 });
  const folder = __dirname;
  const files = readdirSync(folder).filter((name) => name.endsWith(".suite.cjs"));
  for (const file of files.sort()) mocha.addFile(join(folder, file));
  const { failures, tests } = await new Promise<{ failures: number; tests: number }>((resolve) => {
    const runner = mocha.run((count) => {
      resolve({ failures: count, tests: runner.total });
    });
  });
  if (tests === 0) throw new Error(`No tests found in ${folder}: check the files given to buildHostSuite.`);
  if (failures > 0) throw new Error(`${failures} of ${tests} tests failed in the extension host.`);
}
