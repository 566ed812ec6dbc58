/** Small models around one question: what does the theory see behind a layer? */
import type { NodeProto, TensorProto } from "onnx-buf";
import { type LayerSite, layerSites } from "../../server/src/meanfield/sites/index.js";
import { type ModelFolder, reading } from "./model-folder.js";
import { model, type ModelParts, node, tensor, type TestModel, value, weight } from "./models.js";

/** Floats by name: scalars, and vectors. */
export const floats = (constants: Readonly<Record<string, number | readonly number[]>>): TensorProto[] =>
  Object.entries(constants).map(([name, data]) =>
    typeof data === "number" ? tensor(name, "float", [], [data]) : tensor(name, "float", [data.length], data),
  );

/**
 * x [4, 6] through MatMul "first" [6, 6] to `u`, what is given from `u` to `v`, and MatMul "second" [6, 6] behind it.
 * @param initializers further constants.
 */
export function around(
  nodes: readonly NodeProto[],
  { initializers = [], ...rest }: Partial<ModelParts> & { readonly initializers?: readonly TensorProto[] } = {},
): TestModel {
  return model({
    ...rest,
    graph: {
      nodes: [node("MatMul", ["x", "first"], ["u"]), ...nodes, node("MatMul", ["v", "second"], ["y"])],
      inputs: [value("x", "float", [4, 6])],
      outputs: [value("y", "float", null)],
      initializers: [weight("first", [6, 6], 1), weight("second", [6, 6], 2), ...initializers],
    },
  });
}

/** Sites of all layers of a model, by name of the weight. */
export async function sitesOf(folder: ModelFolder, made: TestModel): Promise<ReadonlyMap<string, LayerSite>> {
  const path = folder.write("sites.onnx", made);
  const sites = await reading(path, ({ model: read, search }) => layerSites(read, search.weights, 1));
  return new Map(sites.map((site) => [site.weight.name, site]));
}

/** The site of the layer "first". */
export async function firstSite(folder: ModelFolder, made: TestModel): Promise<LayerSite> {
  return (await sitesOf(folder, made)).get("first")!;
}

/** Kinds of a site's limits. */
export const kindsOf = ({ limits }: LayerSite): readonly string[] => limits.map(({ kind }) => kind);
