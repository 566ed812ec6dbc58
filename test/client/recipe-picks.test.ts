// What a command asks for when the model has no view: criterion, data where the criterion looks at some, sparsity.

import { beforeEach, expect, it, vi } from "vitest";
import { pickRecipe } from "../../client/src/recipe-picks.js";
import type { PruneScope } from "../../client/src/context.js";
import type { CriterionView } from "../../server/protocol/model.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { Uri } from "vscode";

interface Item {
  readonly label: string;
}
interface DialogOptions {
  readonly canSelectFiles: boolean;
  readonly canSelectFolders: boolean;
  readonly filters?: unknown;
}

const { asked, dialogs, answers } = vi.hoisted(() => ({
  /** Labels of each list that was shown. */
  asked: [] as string[][],
  dialogs: [] as unknown[],
  /** What the person picks: a label of each list in turn; a list without an answer is closed. */
  answers: { labels: [] as string[], path: null as string | null, scheme: "file" },
}));

vi.mock("vscode", async () => ({
  ...(await import("./vscode-stub.js")),
  ProgressLocation: { Window: 10 },
  window: {
    withProgress: (_options: unknown, task: (progress: unknown, token: unknown) => unknown) =>
      task({ report: () => undefined }, { onCancellationRequested: () => ({ dispose: () => undefined }) }),
    showQuickPick: (items: readonly Item[]) => {
      asked.push(items.map(({ label }) => label));
      const label = answers.labels.shift();
      return Promise.resolve(items.find((item) => item.label === label));
    },
    showOpenDialog: (options: unknown) => {
      dialogs.push(options);
      const { path, scheme } = answers;
      return Promise.resolve(path === null ? undefined : [{ scheme, path, fsPath: path }]);
    },
    showErrorMessage: () => Promise.resolve(undefined),
  },
}));

const criterion = (id: string, more: Partial<CriterionView> = {}): CriterionView => ({
  id,
  title: id.toUpperCase(),
  summary: "",
  needsData: false,
  rounds: 1,
  signed: false,
  ...more,
});
const model = {
  criteria: [
    criterion("snip", { needsData: true }),
    criterion("magnitude"),
    criterion("fisher", { unavailable: "no samples" }),
  ],
};
// What the picks read of VS Code's and the extension's own large types, and no more: nothing else may be asked for.
const context = {
  server: { request: () => Promise.resolve(model), onProgress: () => ({ dispose: () => undefined }) },
} as unknown as PruneScope;
const uri = { path: "/models/m.onnx", with: () => uri, toString: () => "file:///models/m.onnx" } as unknown as Uri;

const pick = async (...labels: string[]): Promise<unknown> => {
  answers.labels = labels;
  return (await pickRecipe(context, uri, "/models/m.onnx"))?.recipe;
};

beforeEach(() => {
  asked.length = dialogs.length = 0;
  answers.path = null;
  answers.scheme = "file";
});

it("asks for criterion and sparsity where no data is needed, and offers only what can run", async () => {
  expect(await pick("MAGNITUDE", "70 %")).toEqual({ ...defaultRecipe, sparsity: 0.7 });
  expect(asked).toHaveLength(2);
  // That of the settings comes first.
  expect(asked[0]).toEqual(["MAGNITUDE", "SNIP"]);
});

it("asks for data in between, synthetic first", async () => {
  expect(await pick("SNIP", "Synthetic data", "90 %")).toEqual({ ...defaultRecipe, criterion: "snip" });
  expect(asked[1]).toEqual(["Synthetic data", "Choose a file…", "Choose a folder…"]);
  expect(dialogs).toEqual([]);
});

it("takes a file or a folder, each from a dialog of its own", async () => {
  answers.path = "/data/x";
  const chosen = { ...defaultRecipe, criterion: "snip", data: "/data/x" };
  expect(await pick("SNIP", "Choose a file…", "90 %")).toEqual(chosen);
  expect(await pick("SNIP", "Choose a folder…", "90 %")).toEqual(chosen);
  const kinds = (dialogs as DialogOptions[]).map(({ canSelectFiles, canSelectFolders, filters }) => [
    canSelectFiles,
    canSelectFolders,
    filters !== undefined,
  ]);
  expect(kinds).toEqual([
    [true, false, true],
    [false, true, false],
  ]);
});

it("ends wherever the person thinks better of it", async () => {
  expect(await pick()).toBeUndefined();
  expect(await pick("SNIP")).toBeUndefined();
  expect(await pick("SNIP", "Choose a file…", "90 %")).toBeUndefined();
  expect(await pick("SNIP", "Synthetic data")).toBeUndefined();
  answers.path = "/data/x";
  answers.scheme = "vscode-vfs";
  expect(await pick("SNIP", "Choose a folder…", "90 %")).toBeUndefined();
});
