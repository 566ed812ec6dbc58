/**
 * Saves an ONNX model with edited weights and, on request, Mul nodes in front of inputs. Weights are edited in place, so
 * that without new nodes everything else keeps its offset. Provenance follows after the last original byte.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "onnx-buf";
import type { Model } from "../../graph/graph.js";
import type { WriteOptions } from "../format.js";
import { underFreeKeys } from "../free-keys.js";
import type { Source } from "../source.js";
import { writeChanged } from "../write-changed.js";
import { readOnnx } from "./read.js";
import { scaleSplices } from "./scale-splices.js";

/** Writes the model; see {@link WriteOptions}. External data goes beside the target under its own names. */
export async function writeOnnx(source: Source, model: Model, options: WriteOptions): Promise<void> {
  const bytes = provenance(model, options.provenance);
  await writeChanged(source, options, {
    splices: [...scaleSplices(source, model, options.scales), { offset: source.size(source.main), length: 0, bytes }],
    makeFolder: false,
    openData: readOnnx,
  });
}

/** Records as `metadata_props` of a ModelProto. */
function provenance(model: Model, records: WriteOptions["provenance"]): Uint8Array {
  const metadataProps = underFreeKeys(model.metadata, records).map((record) =>
    create(StringStringEntryProtoSchema, record),
  );
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { metadataProps }));
}
