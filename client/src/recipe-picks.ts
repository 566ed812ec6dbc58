/**
 * Asks for criterion, data where the criterion needs some, and sparsity when a command is used on a model without a view. The model is opened first, so that
 * only what can run on it is offered, and that a file that is no model is told at once.
 */
import { l10n, ProgressLocation, window, type QuickPickItem, type Uri } from "vscode";
import type { CriterionView, ModelView } from "../../server/protocol/model.js";
import { patternText, usualPatterns } from "../../server/protocol/pattern.js";
import type { Recipe } from "../../server/protocol/recipe.js";
import { percent } from "../../server/protocol/target-name.js";
import { chooseData } from "./choose-data.js";
import type { PruneScope } from "./context.js";
import { shownName } from "../../server/protocol/model-names.js";
import { plainText } from "./plain-text.js";
import { runWithProgress } from "./saving/run-with-progress.js";
import { modelSettings } from "./settings.js";

const usualSparsities = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99];

/** @returns the chosen recipe and the model it is for; null when the person thinks better of it. */
export async function pickRecipe(
  context: PruneScope,
  uri: Uri,
  path: string,
): Promise<{ recipe: Recipe; model: ModelView } | null> {
  const { recipe, dynamicAxes } = modelSettings(uri);
  const title = plainText(l10n.t("Prune {0}", shownName(uri.path)));
  const opening = plainText(l10n.t("Opening {0}", shownName(uri.path)));
  const params = { uri: uri.toString(), path, dynamicAxes };
  const model = await runWithProgress(context, ProgressLocation.Window, opening, "open", params);
  const criterion = await pickCriterion(title, model.criteria, recipe.criterion);
  if (criterion === null) return null;
  const data = criterion.needsData ? await pickData(title, uri) : synthetic;
  if (data === null) return null;
  const amount = await pickAmount(title, recipe.sparsity);
  return amount === null ? null : { recipe: { ...recipe, ...data, criterion: criterion.id, ...amount }, model };
}

async function pickCriterion(
  title: string,
  criteria: readonly CriterionView[],
  preferred: string,
): Promise<CriterionView | null> {
  const items = criteria
    .filter((criterion) => criterion.unavailable === undefined)
    .map((criterion) => ({ criterion, label: criterion.title, detail: criterion.summary }))
    .sort((a, b) => Number(b.criterion.id === preferred) - Number(a.criterion.id === preferred));
  const picked = await window.showQuickPick(items, { title, placeHolder: l10n.t("Criterion: which weights to keep") });
  return picked?.criterion ?? null;
}

/** The recipe's data: none of it is the choice of synthetic data. */
type Data = Pick<Recipe, "data">;
const synthetic: Data = {};

async function pickData(title: string, uri: Uri): Promise<Data | null> {
  const items = [
    {
      label: l10n.t("Synthetic data"),
      detail: l10n.t("Seeded random inputs: a statement about the architecture, not about your task."),
      choose: (): Promise<Data | null> => Promise.resolve(synthetic),
    },
    {
      label: l10n.t("Choose a file…"),
      detail: l10n.t("Samples, with labels or targets where you have them, as .npz or .npy."),
      choose: (): Promise<Data | null> => pathAsData(uri, false),
    },
    {
      label: l10n.t("Choose a folder…"),
      detail: l10n.t("Images, or ONNX test data (test_data_set_0 and its like)."),
      choose: (): Promise<Data | null> => pathAsData(uri, true),
    },
  ];
  const picked = await window.showQuickPick(items, { title, placeHolder: l10n.t("Data on which weights are scored") });
  return (await picked?.choose()) ?? null;
}

async function pathAsData(uri: Uri, folder: boolean): Promise<Data | null> {
  const data = await chooseData(uri, folder);
  return data === null ? null : { data };
}

/** How much is removed: a share of the weights, or what a pattern asks for. */
type Amount = Pick<Recipe, "sparsity" | "pattern">;

async function pickAmount(title: string, preferred: number): Promise<Amount | null> {
  const offered = [preferred, ...usualSparsities.filter((sparsity) => sparsity !== preferred)];
  const items: (QuickPickItem & { amount: Amount | null })[] = offered.map((sparsity) => ({
    label: `${percent(sparsity)} %`,
    amount: { sparsity },
    ...(sparsity === preferred ? { description: l10n.t("as in the settings") } : {}),
  }));
  items.push({ label: l10n.t("Another…"), amount: null });
  for (const pattern of usualPatterns) {
    const description = l10n.t("{0} of every {1} weights kept along the reduction axis", pattern.n, pattern.m);
    items.push({ label: patternText(pattern), description, amount: { sparsity: 0, pattern } });
  }
  const picked = await window.showQuickPick(items, { title, placeHolder: l10n.t("Share of the weights to remove") });
  if (picked === undefined) return null;
  if (picked.amount !== null) return picked.amount;
  const typed = await window.showInputBox({
    title,
    prompt: l10n.t("Share of the weights to remove, in per cent: from 0 to less than 100"),
    value: percent(preferred),
    validateInput: (text) => (parsePercent(text) === null ? l10n.t("A number from 0 to less than 100") : null),
  });
  const sparsity = typed === undefined ? null : parsePercent(typed);
  return sparsity === null ? null : { sparsity };
}

/** The share that a person typed in per cent; null when it is none. */
export function parsePercent(text: string): number | null {
  const trimmed = text.trim().replace(/\s*%$/, "").replace(",", ".");
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  const share = Number(trimmed) / 100;
  return share < 1 ? share : null;
}
