// A TensorFlow.js model is known by its folder where its file is called what all of them are called.

import { expect, it } from "vitest";
import { tfjsViewType, viewType, viewTypeOf } from "../../client/src/model-editor/view-type.js";
import { modelName, shownName } from "../../server/protocol/model-names.js";

it.each([
  ["/w/net.onnx", "net", "net.onnx", viewType],
  ["/w/net/model.onnx", "model", "model.onnx", viewType],
  ["/w/net.ONNX", "net", "net.ONNX", viewType],
  ["/w/mobilenet/model.json", "mobilenet", "mobilenet/model.json", tfjsViewType],
  ["/w/v1.0/Model.JSON", "v1.0", "v1.0/Model.JSON", tfjsViewType],
  ["/w/mobilenet.json", "mobilenet", "mobilenet.json", tfjsViewType],
  ["/w/mobilenet.snip-90/mobilenet.json", "mobilenet.snip-90", "mobilenet.snip-90/mobilenet.json", tfjsViewType],
  ["/w/mobilenets/mobilenet.json", "mobilenet", "mobilenet.json", tfjsViewType],
  ["/model.json", "model", "model.json", tfjsViewType],
  ["model.json", "model", "model.json", tfjsViewType],
])("%s is %s, shown as %s, in %s", (path, name, shown, type) => {
  expect(modelName(path)).toBe(name);
  expect(shownName(path)).toBe(shown);
  expect(viewTypeOf({ path })).toBe(type);
});
