// The Chromium that opens the workbench: the one inside the npm package @sparticuz/chromium, with its own
// libraries and fonts beside it, so that it runs as root in a bare container where no apt package was
// installed. CHROMIUM=/path/to/chromium in the environment uses another one. Pages reach 127.0.0.1 only.

import { execFile } from "node:child_process";
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createBrotliDecompress } from "node:zlib";
import { chromium, type Browser, type BrowserContext } from "playwright-core";
import { cachedFolder } from "./cached-folder.js";
import { repositoryRoot } from "./repository.js";

const run = promisify(execFile);

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
];

/**
 * Starts a headless Chromium; close it with `browser.close()`.
 *
 * Throws when neither `CHROMIUM` nor the package offers one for this machine.
 */
export async function launchBrowser(): Promise<Browser> {
  const own = process.env["CHROMIUM"];
  if (own) return chromium.launch({ executablePath: own, args: FLAGS });
  const folder = await unpackedChromium();
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: FLAGS,
    env: { ...environment(), LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: join(folder, "fonts.conf") },
  });
}

/** Opens a fresh browser profile whose pages cannot leave this machine: every request not to 127.0.0.1 fails. */
export async function newLocalContext(
  browser: Browser,
  viewport: { readonly width: number; readonly height: number },
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport });
  await context.route(
    (url) => url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
  return context;
}

/**
 * The folder that holds the package's Chromium, unpacked into the test cache on first use (3 s, 200 MB).
 *
 * The package's own `executablePath()` unpacks into /tmp, takes whatever already lies there, and leaves
 * the libraries out unless it believes it runs in AWS Lambda.
 */
async function unpackedChromium(): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `No Chromium in npm for ${process.platform} ${process.arch}: set CHROMIUM to the path of an installed Chromium or Chrome.`,
    );
  }
  const packed = packageFolder();
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8")) as { version: string };
  return cachedFolder(`chromium-${version}`, { "@sparticuz/chromium": version }, async (folder) => {
    await decompress(join(packed, "bin", "chromium.br"), join(folder, "chromium"));
    for (const archive of ["al2023.tar", "fonts.tar"]) {
      const tar = join(folder, archive);
      await decompress(join(packed, "bin", `${archive}.br`), tar);
      await run("tar", ["-xf", tar, "-C", folder, "--no-same-owner"]);
      await rm(tar);
    }
    await mkdir(join(folder, "font-cache"));
    await writeFile(join(folder, "fonts.conf"), FONTS);
  });
}

/** Fonts of the machine where it has any, and Open Sans from the package (`fonts/` beside this file) in any case. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="relative">font-cache</cachedir>
</fontconfig>
`;

async function decompress(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
}

/** Where @sparticuz/chromium is installed; its package.json is not among its exports, so its entry point is asked for. */
function packageFolder(): string {
  const entry = createRequire(join(repositoryRoot(), "package.json")).resolve("@sparticuz/chromium");
  return join(dirname(entry), "..", "..");
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}
