/** Reads a TensorFlow.js model into our graph: the manifest says where its weights lie, the topology what is done with them. */
import type { Constant, Model } from "../../graph/graph.js";
import type { Source } from "../source.js";
import { readDocument } from "./document.js";
import { readGraphModel } from "./graph-model/read-graph.js";
import { heldConstant } from "./held-constant.js";
import { readLayers } from "./layers/read-layers.js";
import { opset } from "./lowering/lowering.js";
import { readManifest } from "./manifest.js";
import { provenanceIn } from "./provenance.js";

/** Reads the model. @throws PruneScopeError with what is wrong with it, and where. */
export async function readTfjs(source: Source): Promise<Model> {
  const document = readDocument(source);
  const weights = new Map<string, Constant>();
  for (const weight of readManifest(source, document).values()) weights.set(weight.name, heldConstant(source, weight));
  const { graph, notes } =
    document.kind === "layers" ? await readLayers(document, weights) : readGraphModel(document, weights);
  const text = (key: string): string => {
    const value = document.rest[key];
    return typeof value === "string" ? value : "";
  };
  return {
    graph,
    irVersion: 10,
    opsets: new Map([["", opset]]),
    producer: [text("generatedBy"), text("convertedBy")].filter((part) => part !== "").join(", "),
    docString: "",
    metadata: provenanceIn(document),
    notes,
  };
}
