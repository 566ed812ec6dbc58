/** What long runs of the mutation fuzz found, each by the seed that made it: what crashed is now a coded error. */
import { afterAll, expect, test } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { smallModels, smallMutants } from "./small-mutants.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const contradiction = /^Shapes and attributes of this model contradict each other/;

const found = [
  {
    name: "a length that is no whole number",
    model: "recurrent",
    seed: 1389,
    criterion: "synflow",
    words: contradiction,
  },
  { name: "pads that are no whole numbers", model: "grouped", seed: 2680, criterion: "snip", words: contradiction },
  {
    name: "a sparse weight without the axis of its gates",
    model: "recurrent",
    seed: 100_005,
    criterion: "synflow",
    words: contradiction,
  },
  {
    name: "an If without the branch that is taken",
    model: "branches",
    seed: 5304,
    criterion: "synflow",
    words: /has no else_branch/,
  },
] as const;

test.each(found)("$name is a coded error", async ({ model, seed, criterion, words }) => {
  const { bytes } = smallMutants(smallModels[model]!()).make(seed);
  const path = folder.write(`${model}-${seed}.onnx`, bytes);
  const error: unknown = await analyze(
    { uri: "x:", path, recipe: { ...defaultRecipe, criterion } },
    quietContext(),
  ).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PruneScopeError);
  expect(error).toMatchObject({
    code: "malformed-model",
    message: expect.stringMatching(words) as string,
  });
});
