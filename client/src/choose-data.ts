/**
 * Asks for the samples on which weights are scored: a file (`.npz`, `.npy`), or a folder (images, ONNX test data). Two
 * dialogs, because on Windows and Linux one cannot show both.
 */
import { posix } from "node:path";
import { l10n, window, type Uri } from "vscode";

/** @param model the dialog begins beside it. @returns an absolute path; null when the person thinks better of it. */
export async function chooseData(model: Uri, folder: boolean): Promise<string | null> {
  const chosen = await window.showOpenDialog({
    title: folder ? l10n.t("Choose a Folder of Samples") : l10n.t("Choose a File of Samples"),
    openLabel: l10n.t("Use as Data"),
    canSelectFiles: !folder,
    canSelectFolders: folder,
    canSelectMany: false,
    defaultUri: model.with({ path: posix.dirname(model.path) }),
    ...(folder ? {} : { filters: { [l10n.t("NumPy arrays")]: ["npz", "npy"] } }),
  });
  const uri = chosen?.[0];
  if (uri === undefined) return null;
  if (uri.scheme === "file") return uri.fsPath;
  void window.showErrorMessage(l10n.t("Choose data on the machine that the model is on."));
  return null;
}
