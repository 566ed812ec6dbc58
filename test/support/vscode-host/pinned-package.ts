// Packages taken from the npm registry by exact version and checked against a sha512 kept in our source.
//
// `npm pack` fetches the tarball as it is (through the person's own registry, proxy and cache settings),
// and the system's tar takes one folder out of it. `npm install code-server` was not chosen: it trusts
// the registry's hash, insists on a Node version and installs code-server's own front, which is not needed.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Errors only, and an unreachable registry is reported within seconds instead of a minute. */
const NPM_FLAGS = ["--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"];

/** One package of the npm registry. */
export interface PinnedPackage {
  /** `name@version`. */
  readonly specifier: string;
  /** Its hash as npm writes it: `npm view NAME@VERSION dist.integrity`. */
  readonly integrity: string;
}

/**
 * Fetches a package and puts the file or folder `part` of its tarball (such as `package/lib/vscode`) at the path `place`.
 *
 * `place` must not exist yet, its parent must. Throws when the registry cannot be reached or the hash differs.
 */
export async function unpackPinned(pinned: PinnedPackage, part: string, place: string): Promise<void> {
  const { specifier } = pinned;
  const download = await mkdtemp(`${place}.download-`);
  try {
    const printed = await npm(["pack", specifier, "--ignore-scripts"], download);
    const tarball = join(download, printed.trim().split("\n").at(-1) ?? "");
    const actual = await sha512(tarball);
    if (actual !== pinned.integrity) {
      throw new Error(
        `${specifier} is not the package that was pinned: its hash is ${actual}, expected ${pinned.integrity}. ` +
          "Check which npm registry is in use (npm config get registry) before you trust it.",
      );
    }
    await run("tar", ["-xzf", tarball, "-C", download, "--no-same-owner", part]);
    await rename(join(download, part), place);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

/**
 * Runs npm in `folder` and returns what it printed.
 *
 * npm's own variables are not inherited: under `npm test` they point at this repository.
 */
export async function npm(args: readonly string[], folder: string): Promise<string> {
  const inherited =
    /^npm_(package|lifecycle|config_(local_prefix|user_agent|noproxy|node_gyp|ignore_scripts|omit|workspace))|^INIT_CWD$|^NODE_OPTIONS$|^NODE_ENV$/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
  try {
    const { stdout } = await run("npm", [...args, ...NPM_FLAGS], { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const reason = stderr
      .split("\n")
      .filter((line) => !/^npm (warn|error {2,})/.test(line))
      .slice(-20)
      .join("\n")
      .trim();
    throw new Error(
      `npm ${args.join(" ")} failed: check that the npm registry can be reached (npm ping) and run this again.\n${reason}`,
      { cause: error },
    );
  }
}

async function sha512(file: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest("base64")}`;
}
