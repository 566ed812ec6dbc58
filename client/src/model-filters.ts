/** What file dialogs show: models of both formats to open; of what is saved its own format, and ONNX, to convert to. */
import { l10n } from "vscode";
import { isJson } from "../../server/protocol/model-names.js";

/** @param path of the model that is written; absent where one is opened. */
export function modelFilters(path?: string): Record<string, string[]> {
  if (path === undefined) return { [l10n.t("Models")]: ["onnx", "json"] };
  const onnx = { [l10n.t("ONNX model")]: ["onnx"] };
  return isJson(path) ? { [l10n.t("TensorFlow.js model")]: ["json"], ...onnx } : onnx;
}
