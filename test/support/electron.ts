// `npm run test:electron -- [VERSION]`: runs the in-host suite in the ordinary desktop VS Code, which
// @vscode/test-electron downloads (the newest stable one unless a version is named). It covers what the hosts
// from npm cannot: Electron's own Node, Windows and macOS. On Linux without a display: `xvfb-run -a npm run …`.

import { downloadAndUnzipVSCode, runTests } from "@vscode/test-electron";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHostSuite, ownSuiteFiles } from "./vscode-host/host-suite.js";
import { repositoryRoot } from "./vscode-host/repository.js";

/** The path of the downloaded VS Code; throws in one line when it cannot be fetched. */
async function download(version: string): Promise<string> {
  try {
    return await downloadAndUnzipVSCode({ version });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `VS Code ${version} could not be downloaded (${reason.split("\n")[0]}): connect to update.code.visualstudio.com, or run \`npm test\`, which needs the npm registry only.`,
      { cause: error },
    );
  }
}

const suite = await buildHostSuite("electron", await ownSuiteFiles());
const vscodeExecutablePath = await download(process.argv[2] ?? "stable");
// A short path: on macOS the socket that VS Code makes in its profile must stay below 104 characters.
const temporary = await mkdtemp(join(tmpdir(), "ps-"));
// Set in the terminals of VS Code itself, where it would start Electron as plain Node.
delete process.env["ELECTRON_RUN_AS_NODE"];
try {
  const workspace = await mkdtemp(join(temporary, "workspace-"));
  await runTests({
    vscodeExecutablePath,
    extensionDevelopmentPath: repositoryRoot(),
    extensionTestsPath: suite,
    launchArgs: [
      workspace,
      `--user-data-dir=${join(temporary, "profile")}`,
      "--disable-extensions",
      "--disable-workspace-trust",
      "--disable-telemetry",
      "--skip-welcome",
    ],
  });
} finally {
  await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
}
