// `npm run editor -- [FOLDER] [OPTION…]`: a VS Code with the extension of this repository in it, from the npm
// registry alone, to use in one's own browser, or, with --screenshot, to make a picture of. The extension is
// linked among the installed ones: after a rebuild, reloading the browser's tab shows the new one.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { launchBrowser } from "./vscode-host/browser.js";
import { ensureHost, HOST_VERSIONS, type HostVersion } from "./vscode-host/install.js";
import { repositoryRoot } from "./vscode-host/repository.js";
import { startServer, type Server } from "./vscode-host/server.js";
import { openWindow } from "./vscode-host/window.js";

const USAGE = `Usage: npm run editor -- [FOLDER] [OPTION…]
  --theme dark|light   colour theme (dark)
  --host VERSION       ${HOST_VERSIONS.join(" or ")} (the last)
  --port N             port on 127.0.0.1 (any free one)
  --screenshot FILE    save a picture as PNG and exit, instead of serving a browser; with it:
  --open FILE            the file to open, relative to FOLDER
  --wait SELECTOR        wait for this CSS selector in the webview
  --size WIDTHxHEIGHT    size of the picture (1280x800)`;

interface Picture {
  readonly file: string;
  readonly open: string | undefined;
  readonly wait: string | undefined;
  readonly viewport: { readonly width: number; readonly height: number };
}

interface Request {
  readonly folder: string;
  readonly theme: "dark" | "light";
  readonly host: HostVersion;
  readonly port: number;
  readonly picture: Picture | undefined;
}

/** Reads the command line; throws with the usage when it makes no sense. */
function readRequest(args: string[]): Request {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        theme: { type: "string", default: "dark" },
        host: { type: "string", default: HOST_VERSIONS.at(-1)! },
        port: { type: "string", default: "0" },
        screenshot: { type: "string" },
        open: { type: "string" },
        wait: { type: "string" },
        size: { type: "string", default: "1280x800" },
      },
    });
    const { theme, screenshot, open, wait } = values;
    if (theme !== "dark" && theme !== "light") throw new Error(`Unknown theme ${theme}.`);
    const host = HOST_VERSIONS.find((version) => version === values.host);
    if (!host) throw new Error(`Unknown host ${values.host}.`);
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`Not a port: ${values.port}.`);
    const size = /^(\d+)x(\d+)$/.exec(values.size);
    if (!size) throw new Error(`Not a size: ${values.size}.`);
    if (positionals.length > 1) throw new Error("More than one folder.");
    if (screenshot === undefined && (open !== undefined || wait !== undefined)) {
      throw new Error("--open and --wait need --screenshot; in a browser, open files with Ctrl+P.");
    }
    if (wait !== undefined && open === undefined) throw new Error("--wait needs --open.");

    // npm changes into the repository; paths were meant from where the person is.
    const from = process.env["INIT_CWD"] ?? process.cwd();
    const folder = resolve(from, positionals[0] ?? ".");
    if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
    const viewport = { width: Number(size[1]), height: Number(size[2]) };
    const picture = screenshot === undefined ? undefined : { file: resolve(from, screenshot), open, wait, viewport };
    return { folder, theme, host, port, picture };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}

/** Throws when the extension has not been built. */
function checkBuilt(root: string): void {
  const { main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { main: string };
  if (!existsSync(join(root, main))) throw new Error(`${main} is missing: run \`npm run build\` first.`);
}

async function takePicture(server: Server, { folder, theme }: Request, picture: Picture): Promise<void> {
  const browser = await launchBrowser();
  try {
    const window = await openWindow(browser, server, { folder, theme, viewport: picture.viewport });
    if (picture.open !== undefined) {
      await window.quickOpen(picture.open);
      if (picture.wait !== undefined)
        await window.webview().locator(picture.wait).first().waitFor({ timeout: 120_000 });
    }
    // The pointer must not hover over anything, and what has just appeared finishes its animations.
    await window.page.mouse.move(0, 0);
    await window.page.waitForTimeout(1000);
    await window.screenshot(picture.file);
    for (const problem of window.webviewProblems) console.error(`In the webview: ${problem.text}`);
    console.log(picture.file);
  } finally {
    await browser.close();
  }
}

/** Serves until the person presses Ctrl+C or the server ends by itself. */
async function serve(server: Server, folder: string): Promise<void> {
  const interrupted = new Promise<"interrupted">((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        done("interrupted");
      });
    }
  });
  console.log(`VS Code with PruneScope: ${server.url(folder)}\nCtrl+C stops it.`);
  if ((await Promise.race([interrupted, server.ended])) !== "interrupted") {
    throw new Error(`The VS Code server ended by itself. It printed:\n${server.log().slice(-4000)}`);
  }
}

const request = readRequest(process.argv.slice(2));
const root = repositoryRoot();
checkBuilt(root);
const server = await startServer(await ensureHost(request.host), {
  linkedExtensions: [root],
  settings: { "workbench.colorTheme": request.theme === "dark" ? "Default Dark Modern" : "Default Light Modern" },
  port: request.port,
  withToken: true,
});
try {
  if (request.picture) await takePicture(server, request, request.picture);
  else await serve(server, request.folder);
} finally {
  await server.stop();
}
