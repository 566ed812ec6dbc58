/** TensorFlow.js: a `model.json` with the topology of a layers or graph model, and shards of weights beside it. */
import type { Format } from "../format.js";
import { readDocument } from "./document.js";
import { readTfjs } from "./read.js";
import { provenanceIn } from "./provenance.js";
import { writeTfjs } from "./write.js";

/** What stands near the beginning of every writer's model.json, and in no other JSON. */
const modelKey = /"modelTopology"\s*:|"format"\s*:\s*"(?:graph|layers)-model"/;

export const tfjs = {
  id: "tfjs",
  extensions: [".json"],
  recognises: (head) => modelKey.test(head),
  runs: false,
  takesNodes: false,
  read: readTfjs,
  metadata: (source) => provenanceIn(readDocument(source)),
  write: writeTfjs,
} as const satisfies Format;
