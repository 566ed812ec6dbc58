/** `--mask-out` and `--scores-out`: what a recipe decides, for those who train with it. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { pc } from "../analysis/colors.js";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { ExportParams } from "../../protocol/requests.js";
import { plain } from "../analysis/text.js";
import type { CommandEngine } from "./command-engine.js";
import type { Models } from "./models.js";

export interface ExportOptions {
  readonly maskOut?: string;
  readonly scoresOut?: string;
}

/** Adds the options to a command. */
export function addExportOptions(command: Command): Command {
  return command
    .option("--mask-out <file>", "write the mask as .npz, by the names of weights", npzPath)
    .option("--scores-out <file>", "write the scores as .npz, by the names of weights", npzPath);
}

/** @throws PruneScopeError `bad-request` where several models would be written into one file. */
export function refuseExports({ maskOut, scoresOut }: ExportOptions, { several }: Models): void {
  if (several && (maskOut ?? scoresOut) !== undefined)
    throw new PruneScopeError("bad-request", "--mask-out and --scores-out are for one model: each writes one file.");
}

/** Writes what the options ask for. @returns a line for each file. */
export async function writeExports(
  engine: CommandEngine,
  path: string,
  recipe: Recipe,
  { maskOut, scoresOut }: ExportOptions,
): Promise<string[]> {
  const lines: string[] = [];
  const write = async (what: ExportParams["what"], file: string | undefined): Promise<void> => {
    if (file === undefined) return;
    const target = resolve(file);
    const { arrays, elements, bytes } = await engine.run("export", { uri: path, path, recipe, target, what });
    const counts = `${arrays} arrays, ${elements.toLocaleString("en-US")} elements, ${(bytes / 1e6).toFixed(2)} MB`;
    lines.push(`${pc.green(what)} ${plain(target)}, ${counts}`);
  };
  await write("mask", maskOut);
  await write("scores", scoresOut);
  return lines;
}

function npzPath(path: string): string {
  if (/\.npz$/i.test(path)) return path;
  throw new InvalidArgumentError("It must end in .npz.");
}
