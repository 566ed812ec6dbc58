/**
 * How our child processes are started: plain Node.js in a clean environment. What they print is not the person's to see:
 * its end is kept, for what a crash has to say.
 */
import { type ChildProcess, fork } from "node:child_process";
import { cleanVariables } from "./clean-variables.js";

/** Characters of what a process printed that are kept. */
const keptOutput = 2000;

export interface QuietChild {
  readonly child: ChildProcess;
  /** The last of what it printed. */
  readonly output: () => string;
}

/** Starts `script`. @param cwd its working directory, ours when absent. @param onOutput hears all that it prints. */
export function quietChild(
  script: string,
  words: readonly string[],
  { cwd, onOutput }: { readonly cwd?: string; readonly onOutput?: ((text: string) => void) | undefined } = {},
): QuietChild {
  const child = fork(script, words, {
    ...(cwd === undefined ? {} : { cwd }),
    serialization: "advanced",
    execArgv: [],
    env: cleanVariables(),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-keptOutput);
      onOutput?.(text);
    });
  }
  return { child, output: () => output };
}
