/** Small models of every kind, and mutants of them that are broken so little that many get far. */
import { modelBytes } from "../support/model-builder.js";
import * as models from "../support/models.js";
import { Mutants } from "./mutants.js";

/** Models by what is unusual about them. */
export const smallModels: Readonly<Record<string, () => models.TestModel>> = {
  branches: () => models.ifBranches(),
  convolutions: () => models.convNet(),
  external: () => models.externalWeights(),
  functions: () => models.localFunctions(),
  grouped: () => models.groupedConvolutions(),
  half: () => models.storedWeight({ dtype: "float16", storage: "typed" }),
  nested: () => models.deepBranches(),
  perceptron: () => models.mlp(),
  quantised: () => models.quantised({ dtype: "int8", axis: 1 }),
  recurrent: () => models.recurrent("LSTM"),
  sparse: () => models.sparseWeight(),
  tied: () => models.tiedWeights(),
};

/** Mutants of a small model: mostly of one mutation. */
export const smallMutants = (model: models.TestModel): Mutants =>
  new Mutants(modelBytes(model), { messages: 0.95, most: 1 });
