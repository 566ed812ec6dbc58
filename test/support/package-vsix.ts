// `npm run package -- [--target T]`: makes out/prunescope-T-VERSION.vsix from the built extension, for this machine's
// platform, for a named one, or for `all`. One machine makes them all: onnxruntime-node carries every platform.

import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { packExtension } from "../package/pack.js";
import { targetNamed, targets, thisTarget, type Target } from "../package/targets.js";
import { repositoryRoot } from "./vscode-host/repository.js";

/** The targets that the command line asks for. Throws with the usage when it makes no sense. */
function requestedTargets(args: string[]): readonly Target[] {
  try {
    const { target } = parseArgs({ args, options: { target: { type: "string" } } }).values;
    if (target === undefined) return [thisTarget()];
    return target === "all" ? targets : [targetNamed(target)];
  } catch (error) {
    const names = targets.map(({ name }) => name).join("|");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\nUsage: npm run package -- [--target ${names}|all]`, { cause: error });
  }
}

const root = repositoryRoot();
for (const target of requestedTargets(process.argv.slice(2))) {
  const vsix = await packExtension(root, target, join(root, "out"));
  console.log(`${relative(process.cwd(), vsix)}  ${((await stat(vsix)).size / 1e6).toFixed(2)} MB`);
}
