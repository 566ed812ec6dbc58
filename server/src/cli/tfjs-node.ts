/** `--tfjs-node FOLDER`: the native library that runs originals in TensorFlow.js, where a person has it installed. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { CommandEngine } from "./command-engine.js";

/** Adds the option to a command that runs models. It counts for every job of the command. */
export function addTfjsNode(command: Command, engine: CommandEngine): Command {
  return command
    .option("--tfjs-node <folder>", "an installed @tensorflow/tfjs-node that runs TensorFlow.js models as they are")
    .hook("preAction", (called) => {
      const { tfjsNode } = called.opts<{ readonly tfjsNode?: string }>();
      if (tfjsNode !== undefined) engine.useTfjsNode(resolve(tfjsNode));
    });
}
