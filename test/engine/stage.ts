/**
 * A folder of its own for a test file: the fake engine and whatever else runs as a process are bundled into it, so
 * their processes can be told from all others by their command line.
 */
import { build } from "esbuild";
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nodeBundle } from "../../server/node-bundle.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export class Stage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "prunescope-")));

  /** Bundles scripts as `esbuild.mjs` does: name in the folder, and source file in the repository. */
  async bundle(scripts: Readonly<Record<string, string>>): Promise<void> {
    const entryPoints = Object.fromEntries(
      Object.entries(scripts).map(([name, source]) => [name, join(repository, source)]),
    );
    const modules = join(this.folder, "node_modules");
    if (!existsSync(modules)) symlinkSync(join(repository, "node_modules"), modules, "junction");
    await build({ ...nodeBundle, entryPoints, outdir: this.folder, logLevel: "warning" });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Ids of the living processes that run one of the stage's scripts; Linux only. */
  processes(script: string): number[] {
    return readdirSync("/proc").flatMap((entry) => {
      const id = Number(entry);
      return Number.isInteger(id) && commandLine(id).includes(this.path(script)) ? [id] : [];
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `holds` does. @throws Error naming what was waited for. */
export async function until(what: string, holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !holds();) {
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
    await sleep(10);
  }
}

/** Command line of a process; empty when it is gone or a zombie. */
function commandLine(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
