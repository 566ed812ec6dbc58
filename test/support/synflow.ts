/** Models of tests as SynFlow takes them: read, raised, typed, weights by name. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "onnxruntime-node";
import { constantTensor } from "../../server/src/autodiff/constant-tensor.js";
import { weightTensor } from "../../server/src/autodiff/trainable.js";
import type { FlowModel } from "../../server/src/autodiff/linearise/plan.js";
import type { SynflowInput, SynflowWeight } from "../../server/src/criteria/synflow/rounds.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import type { Constant } from "../../server/src/graph/graph.js";
import { inlineBranches } from "../../server/src/graph/inline-branches.js";
import { modernise } from "../../server/src/graph/modernise/index.js";
import { findPrunable } from "../../server/src/graph/prunable.js";
import { storageKey } from "../../server/src/graph/tensor.js";
import { conditionRunner } from "../../server/src/runtime/conditions.js";
import { boundShapes, syntheticInput } from "../../server/src/runtime/inputs.js";
import { plainKernels } from "../../server/src/runtime/kernels.js";
import { observedTypes } from "../../server/src/runtime/observed-types.js";

/** A model whose file is open until `close`. */
export interface OpenedModel {
  readonly flow: FlowModel;
  readonly weights: readonly SynflowWeight[];
  readonly close: () => void;
}

/** Reads the model at `path`; every prunable weight of its main graph is a weight. Dynamic axes get their default. */
export async function openForSynflow(path: string): Promise<OpenedModel> {
  const source = new Source(path);
  const read = readOnnx(source);
  const { weights: found } = findPrunable(read);
  const raised = modernise(read);
  const inputShapes = boundShapes(raised.graph.inputs, {});
  const constant = (one: Constant): Promise<Tensor> => constantTensor(source, one);
  const { feeds } = await syntheticInput(raised.graph.inputs, {}, 1);
  const circumstances = { inputShapes, feeds, threads: 1, constant };
  const { model } = await inlineBranches(raised, conditionRunner(circumstances));
  const types = await observedTypes(model, circumstances);
  const nameOf = new Map([...model.graph.constants.values()].map(({ name, tensor }) => [storageKey(tensor), name]));
  const weights: SynflowWeight[] = [];
  for (const weight of found) {
    const value = nameOf.get(storageKey(weight.tensor));
    if (value === undefined) continue;
    const { data } = await weightTensor(source, weight);
    weights.push({ id: weight.id, value, elements: data as Float32Array });
  }
  return {
    flow: {
      model,
      types,
      weights: weights.map(({ value }) => value),
      threads: 1,
      kernels: plainKernels,
      constant,
    },
    weights,
    close: () => {
      source.close();
    },
  };
}

/** The same for a model in memory. */
export async function openBytes(bytes: Uint8Array): Promise<OpenedModel> {
  const folder = mkdtempSync(join(tmpdir(), "prunescope-synflow-"));
  const path = join(folder, "model.onnx");
  writeFileSync(path, bytes);
  const opened = await openForSynflow(path);
  return {
    ...opened,
    close: () => {
      opened.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What `synflow` takes, for quick tests: silent, with these rounds. */
export function synflowInput({ flow, weights }: OpenedModel, rounds: number, compression: number): SynflowInput {
  return {
    ...flow,
    weights,
    rounds,
    compression,
    seed: 0,
    progress: () => undefined,
    checkpoint: () => Promise.resolve(),
  };
}
