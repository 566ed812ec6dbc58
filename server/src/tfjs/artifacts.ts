/** The files of a model as TensorFlow.js' loaders take them, after our own checks: they see nothing that these refuse. */
import type { io } from "@tensorflow/tfjs-core";
import { Source } from "../formats/source.js";
import { type Json, type JsonObject, readDocument, type TfjsDocument } from "../formats/tfjs/document.js";
import { checkedTopology } from "../formats/tfjs/layers/topology.js";
import { readManifest } from "../formats/tfjs/manifest.js";
import type { TensorFlow } from "./tensorflow.js";

/** A model that TensorFlow.js can be given. */
export interface CheckedModel {
  readonly kind: TfjsDocument["kind"];
  readonly artifacts: io.ModelArtifacts;
}

/** What loaders look at beside topology and weights. The configuration of a training is left out: nothing is trained. */
const passedOn = ["format", "signature", "userDefinedMetadata", "modelInitializer", "initializerSignature"] as const;

/** Reads the model whose `model.json` is at `path`. @throws PruneScopeError with what is wrong with its files. */
export function readArtifacts(tf: TensorFlow, path: string): CheckedModel {
  const source = new Source(path);
  try {
    const document = readDocument(source);
    const weights = readManifest(source, document);
    const groups = new Set([...weights.values()].map(({ tensor }) => tensor.path));
    // One buffer: of two, tfjs 4.22 takes bytes from the wrong one where the second is longer than the first.
    const data = new Uint8Array([...groups].reduce((sum, group) => sum + source.size(group), 0));
    let at = 0;
    for (const group of groups) {
      source.read(group, 0, data.subarray(at, at + source.size(group)));
      at += source.size(group);
    }
    // The manifest's entries have been looked at, so that they are what their type says.
    const specs = document.manifest.flatMap((group) => (group as JsonObject)["weights"] as readonly Json[]);
    return {
      kind: document.kind,
      artifacts: {
        modelTopology: document.kind === "layers" ? checkedTopology(tf, document) : document.topology,
        weightSpecs: specs as unknown as io.WeightsManifestEntry[],
        weightData: data.buffer,
        ...Object.fromEntries(passedOn.flatMap((key) => (key in document.rest ? [[key, document.rest[key]]] : []))),
      },
    };
  } finally {
    source.close();
  }
}
