/** What file dialogs show: models of both formats to open, those of one to save. */
import { l10n } from "vscode";
import { isJson } from "../../server/protocol/model-names.js";

/** @param path of the model that is written; absent where one is opened. */
export function modelFilters(path?: string): Record<string, string[]> {
  if (path === undefined) return { [l10n.t("Models")]: ["onnx", "json"] };
  return isJson(path) ? { [l10n.t("TensorFlow.js model")]: ["json"] } : { [l10n.t("ONNX model")]: ["onnx"] };
}
