// One running VS Code server with a profile of its own in a temporary folder. It is started as the leader
// of a process group and ended by that group: a plain kill of the server leaves its extension hosts behind.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { endWithParent } from "./end-with-parent.js";
import type { Host } from "./install.js";
import { processesOf, sessionEnded, type RunningProcess } from "./process-list.js";

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;

/** Settings that keep VS Code quiet: no welcome pages, tips, chat, updates, experiments or telemetry. */
const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "files.simpleDialog.enable": true,
  "git.enabled": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.restoreWindows": "none",
  "workbench.enableExperiments": false,
  // A webview that has just been opened takes the focus whenever it is ready.
  "workbench.quickOpen.closeOnFocusLost": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
};

/** No marketplace: nothing is asked of open-vsx.org. */
const NO_GALLERY = JSON.stringify({ serviceUrl: "" });

export interface ServerOptions {
  /** User settings, laid over the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** `.vsix` files to install before the start. */
  readonly vsix?: readonly string[];
  /** Folders of built extensions that shall appear as installed: a link is made to each, so a rebuild shows on reload. */
  readonly linkedExtensions?: readonly string[];
  /** Folder of installed extensions; an empty one in the server's temporary folder when absent. */
  readonly extensionsFolder?: string;
  /** Variables added to the environment of the server and so of its extension hosts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Port on 127.0.0.1; any free one when absent. */
  readonly port?: number;
  /** Ask every page for a secret token: for a server that outlives a test. `url()` then contains it. */
  readonly withToken?: boolean;
}

/** A running VS Code server. */
export interface Server {
  readonly port: number;
  /** Process id of the server, which is also the id of its process group and session. */
  readonly pid: number;
  /** Its temporary folder: profile, logs, installed extensions; removed by `stop`. */
  readonly folder: string;
  /** The address of the workbench with that folder open. */
  url(workspace: string): string;
  /** Everything the server has printed. */
  log(): string;
  /** The server, its extension hosts and what they have started, as they are now. */
  processes(): Promise<RunningProcess[]>;
  /** Resolves when the server ends, with its exit code (null after a signal). */
  readonly ended: Promise<number | null>;
  /** Ends every process of the group and removes the temporary folder. May be called twice. */
  stop(): Promise<void>;
}

/** Starts a VS Code server on 127.0.0.1. Throws with what it printed when it does not come up within a minute. */
export async function startServer(host: Host, options: ServerOptions = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "prunescope-vscode-"));
  try {
    return await startIn(folder, host, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string, host: Host, options: ServerOptions): Promise<Server> {
  const extensionsFolder = options.extensionsFolder ?? join(folder, "extensions");
  await mkdir(extensionsFolder, { recursive: true });
  for (const [index, extension] of (options.linkedExtensions ?? []).entries()) {
    await symlink(resolve(extension), join(extensionsFolder, `linked-${index}`), "dir");
  }
  await mkdir(join(folder, "User"));
  const settings = { ...QUIET_SETTINGS, ...options.settings };
  await writeFile(join(folder, "User", "settings.json"), JSON.stringify(settings, null, 2));

  // Sockets and temporary files of the server's processes go when its folder goes, also when they were killed.
  const places = { HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder };
  const env = { ...environment(), ...options.env, ...places, EXTENSIONS_GALLERY: NO_GALLERY };
  const folders = [
    "--server-data-dir",
    join(folder, "server"),
    "--user-data-dir",
    folder,
    "--extensions-dir",
    extensionsFolder,
  ];
  for (const vsix of options.vsix ?? []) await installExtension(host, vsix, folders, env);

  const token = options.withToken ? randomBytes(16).toString("hex") : undefined;
  const args = [
    ...["--host", "127.0.0.1", "--port", String(options.port ?? 0)],
    ...(token ? ["--connection-token", token] : ["--without-connection-token"]),
    ...folders,
    ...["--accept-server-license-terms", "--telemetry-level", "off"],
    ...["--disable-workspace-trust", "--disable-getting-started-override"],
  ];
  const child = spawn(host.node, [...(await endWithParent(folder)), host.serverMain, ...args], {
    env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const ended = new Promise<number | null>((resolveEnded) => child.once("exit", resolveEnded));
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      signalGroup(child, "SIGTERM");
      if (child.pid !== undefined && !(await sessionEnded(child.pid, 5_000))) {
        signalGroup(child, "SIGKILL");
        await sessionEnded(child.pid, 5_000);
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    })());

  try {
    const port = await listeningPort(child, output);
    return {
      port,
      pid: child.pid!,
      folder,
      url: (workspace) =>
        `http://127.0.0.1:${port}/?` +
        new URLSearchParams({ ...(token ? { tkn: token } : {}), folder: resolve(workspace) }).toString(),
      log: () => output.join(""),
      processes: () => processesOf(child.pid!),
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the line in which the server names the port it listens on. */
function listeningPort(child: ChildProcess, output: readonly string[]): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const fail = (what: string) => {
      clearTimeout(timer);
      reject(new Error(`The VS Code server ${what}. It printed:\n${output.join("").slice(-4000)}`));
    };
    const timer = setTimeout(() => {
      fail(`did not listen within ${START_TIMEOUT_MS / 1000} s: the machine may be overloaded`);
    }, START_TIMEOUT_MS);
    child.once("error", (error) => {
      fail(`could not be started (${error.message}): remove its folder in the test cache and run this again`);
    });
    child.once("exit", (code, signal) => {
      fail(`ended with ${signal ?? `code ${String(code)}`} while starting`);
    });
    child.stdout?.on("data", () => {
      const port = /Extension host agent listening on (\d+)/.exec(output.join(""))?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolvePort(Number(port));
    });
  });
}

async function installExtension(
  host: Host,
  vsix: string,
  folders: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const args = ["--accept-server-license-terms", ...folders, "--install-extension", resolve(vsix), "--force"];
  try {
    await run(host.node, [host.serverMain, ...args], { env });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `VS Code refused to install ${vsix}: check that the file exists and was made by vsce. It printed:\n${reason}`,
      { cause: error },
    );
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has no process left.
  }
}

/** Our environment without what would change how the server runs: Node options, npm's, vitest's and another VS Code's variables. */
function environment(): NodeJS.ProcessEnv {
  const foreign = /^(NODE_OPTIONS|NODE_ENV|ELECTRON_.*|VSCODE_.*|npm_.*|VITEST.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
