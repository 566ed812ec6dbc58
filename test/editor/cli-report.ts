// What the command line says of a model: the reference for everything that the editor shows. Asked once for each
// question, since both hosts are held against the same answers.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Scope } from "../../server/protocol/recipe.js";
import type { Report } from "../../server/protocol/report.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";

const run = promisify(execFile);

export interface Question {
  readonly sparsity?: number;
  readonly criterion?: string;
  readonly scope?: Scope;
  /** Path of samples. */
  readonly data?: string;
}

const answers = new Map<string, Promise<Report>>();

/** The report that `prunescope analyze FILE --quick --format json` prints. */
export async function cliReport(file: string, question: Question = {}): Promise<Report> {
  const options = Object.entries(question).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const content = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  const key = [content, ...options].join(" ");
  const known = answers.get(key);
  if (known !== undefined) return known;
  const cli = join(repositoryRoot(), "dist", "cli.js");
  const answer = run(process.execPath, [cli, "analyze", file, "--quick", "--format", "json", ...options], {
    maxBuffer: 1 << 28,
  }).then(({ stdout }) => JSON.parse(stdout) as Report);
  answers.set(key, answer);
  return answer;
}

/** Kept weights by layer id: what the table must show at rest. */
export async function cliKept(file: string, question: Question = {}): Promise<Record<string, number>> {
  const { layers } = await cliReport(file, question);
  return Object.fromEntries(layers.map(({ id, kept }) => [id, kept]));
}
