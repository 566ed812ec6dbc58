/**
 * The ids of the model editors in the manifest; settings such as `workbench.editorAssociations` name them. Both show the
 * same view. They are two because a `model.json` stays a text file unless somebody asks for more, and `.onnx` does not.
 */
import { isJson } from "../../../server/protocol/model-names.js";

/** The default for `*.onnx`. */
export const viewType = "prunescope.model";
/** Offered for TensorFlow.js models. */
export const tfjsViewType = "prunescope.tfjsModel";

/** The editor for a file, by the path of its URI. */
export function viewTypeOf({ path }: { readonly path: string }): string {
  return isJson(path) ? tfjsViewType : viewType;
}
