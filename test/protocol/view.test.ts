// Messages from the view are checked one by one before anything acts on them.

import { expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { parseFromView, type FromView } from "../../server/protocol/view.js";

const messages: readonly FromView[] = [
  { type: "ready" },
  { type: "survival", id: 3, sparsity: 0.5, scope: "layer" },
  { type: "recipe", recipe: defaultRecipe },
  { type: "chooseData", folder: true },
  { type: "chooseData", folder: false },
  { type: "sparsity", sparsity: 0 },
  { type: "save", recipe: defaultRecipe, as: true },
  { type: "cancel" },
  { type: "retry" },
  { type: "openText" },
];

it.each(messages)("takes $type", (message) => {
  expect(parseFromView({ ...message, more: 1 })).toEqual(message);
});

it.each([
  null,
  7,
  {},
  { type: "other" },
  { type: "survival", id: "3", sparsity: 0.5, scope: "layer" },
  { type: "survival", id: 3, sparsity: 1, scope: "layer" },
  { type: "survival", id: 3, sparsity: 0.5, scope: "both" },
  { type: "recipe", recipe: null },
  { type: "chooseData" },
  { type: "chooseData", folder: "yes" },
  { type: "chooseData", folder: 1 },
  { type: "sparsity", sparsity: NaN },
  { type: "save", recipe: 1 },
])("refuses %j", (message) => {
  expect(parseFromView(message)).toBeNull();
});
