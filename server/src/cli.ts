/** The command line: the same engine without an editor. Parsing and exit codes are here, each command in `cli/`. */
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { addAnalyze } from "./cli/analyze.js";
import { addCheck } from "./cli/check.js";
import { CommandEngine } from "./cli/command-engine.js";
import { addCompare } from "./cli/compare.js";
import { addConvert } from "./cli/convert.js";
import { addEoc } from "./cli/eoc.js";
import { Unmet } from "./cli/fail-on.js";
import { addPrune } from "./cli/prune.js";
import { withRecipe } from "./cli/recipe-file.js";
import { addStart } from "./cli/start.js";
import { describeError, toErrorData } from "../protocol/errors.js";
import { version } from "./version.js";

/** Exit codes that scripts rely on. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

async function main(): Promise<number> {
  const engine = new CommandEngine(join(__dirname, "engine.js"));
  const program = new Command("prunescope")
    .description("How far can a model be pruned, which layer breaks first, and the pruned model itself.")
    .version(version)
    .exitOverride()
    .configureHelp({ sortSubcommands: false });
  for (const add of [addAnalyze, addPrune, addCheck, addCompare, addConvert, addStart, addEoc]) add(program, engine);
  for (const command of program.commands) command.exitOverride().showHelpAfterError("(--help lists the options)");
  process.once("SIGINT", () => {
    engine.cancel();
  });
  try {
    await program.parseAsync();
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof Unmet) {
      engine.clearProgress();
      process.stderr.write(`prunescope: ${error.message}\n`);
      return exitCodes.failed;
    }
    const data = toErrorData(error);
    const [recipe] = program.commands.flatMap((command) => command.opts<{ recipe?: string }>().recipe ?? []);
    engine.clearProgress();
    process.stderr.write(
      `prunescope: ${data.code}: ${describeError(recipe === undefined ? data : withRecipe(data, recipe))}\n`,
    );
    return data.code === "bad-request" ? exitCodes.usage : exitCodes.failed;
  } finally {
    engine.dispose();
  }
}

void main().then((code) => {
  process.exitCode = code;
});
