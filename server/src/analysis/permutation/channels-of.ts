/** The channels of a model that can move, its shapes as ONNX Runtime knows them for one input that is made up. */
import type { DynamicAxes } from "../../../protocol/requests.js";
import { constantTensor } from "../../autodiff/constant-tensor.js";
import { type Channels, findChannels } from "../../graph/channels/index.js";
import type { ChannelRule } from "../../graph/channels/rule.js";
import { dataDependence } from "../../graph/data-dependence.js";
import { foldShapes } from "../../graph/fold-shapes.js";
import type { Constant } from "../../graph/graph.js";
import { shapeRunner } from "../../runtime/fixed-values.js";
import { boundShapes, syntheticInput } from "../../runtime/inputs.js";
import { observedTypes } from "../../runtime/observed-types.js";
import { valueTypes } from "../../runtime/shapes.js";
import type { OpenModel } from "../open-model.js";

/**
 * @param rules in the place of all there are.
 * @throws PruneScopeError what ONNX Runtime says of a model that it does not take.
 */
export async function channelsOf(
  { model, source }: Pick<OpenModel, "model" | "source">,
  axes: DynamicAxes,
  threads: number,
  rules?: readonly ChannelRule[],
): Promise<Channels> {
  const inputShapes = boundShapes(model.graph.inputs, axes);
  const computed = new Map<string, Constant>();
  let types = await valueTypes(model, inputShapes, threads);
  const outputs = model.graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== "");
  // Of values whose rank it does not know the runtime says that they have no axes.
  if (outputs.some((name) => (types.get(name)?.shape?.length ?? 0) === 0)) {
    const { feeds } = await syntheticInput(model.graph.inputs, axes, 0);
    const given = { inputShapes, feeds, threads, constant: (one: Constant) => constantTensor(source, one) };
    const evaluate = shapeRunner(given);
    const known = types;
    await foldShapes(model, async (partly, values) => {
      // Not the weights on their way through casts and transposes.
      const whole = values.filter((name) => ["bool", "int32", "int64"].includes(known.get(name)?.dtype ?? ""));
      const found = await evaluate(partly, whole);
      for (const [name, constant] of found) computed.set(name, constant);
      return found;
    });
    types = new Map(await observedTypes(model, { ...given, doubtScalars: true }));
  }
  // What the elements of the data decide was not looked at.
  const { shapes: unknown } = dataDependence(model.graph);
  const shapes = new Map([...types].map(([name, { shape }]) => [name, unknown.has(name) ? null : shape]));
  return findChannels(model, shapes, { computed, ...(rules === undefined ? {} : { rules }) });
}
