/** The colours of texts for a terminal. */
import { createColors } from "picocolors";
import { isatty } from "node:tty";

/**
 * Whether what is printed is coloured: in a terminal that can, unless `NO_COLOR` is set, and elsewhere where
 * `FORCE_COLOR` asks for it. A file and another program's pipe get plain text, in CI and on Windows too, where
 * picocolors by itself colours them.
 */
export function inColor(environment: NodeJS.ProcessEnv, terminal: boolean): boolean {
  const { NO_COLOR: none, FORCE_COLOR: forced, TERM: kind } = environment;
  if (none) return false;
  if (forced) return forced !== "0";
  return terminal && kind !== "dumb";
}

export const pc = createColors(inColor(process.env, isatty(process.stdout.fd)));
