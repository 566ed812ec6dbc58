/**
 * Mutants of small TensorFlow.js models: fields of model.json changed, moved and left out as a hostile or confused
 * converter would write it, its bytes damaged, shards cut off and filled with anything. The same seed, the same mutant.
 */
import * as tf from "@tensorflow/tfjs-layers";
import { inheritedNames } from "../support/models.js";
import {
  type FolderOptions,
  graphModel,
  ints,
  layersModel,
  node,
  placeholder,
  tfjsFiles,
  type TfjsModel,
  weight,
} from "../support/tfjs/index.js";
import { Random } from "./random.js";

/** Files of a folder by their names. */
export type Folder = ReadonlyMap<string, Uint8Array>;

/** Models by what is unusual about them. */
export const tfjsSeeds: Readonly<Record<string, () => Promise<TfjsModel>>> = {
  "tfjs-convolutions": () =>
    layersModel(() => {
      const x = tf.input({ shape: [6, 6, 2], name: "x" });
      const a = tf.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", name: "a" }).apply(x);
      const b = tf.layers.batchNormalization({ name: "b" }).apply(a);
      const c = tf.layers.conv2d({ filters: 4, kernelSize: 1, activation: "relu", name: "c" }).apply(b);
      const d = tf.layers.add({ name: "d" }).apply([a, c] as tf.SymbolicTensor[]);
      const e = tf.layers.maxPooling2d({ poolSize: 2, name: "e" }).apply(d);
      const f = tf.layers.flatten({ name: "f" }).apply(e);
      const y = tf.layers.dense({ units: 3, activation: "softmax", name: "y" }).apply(f);
      return tf.model({ inputs: x, outputs: y as tf.SymbolicTensor, name: "m" });
    }),
  "tfjs-recurrent": () =>
    layersModel(() =>
      tf.sequential({
        name: "m",
        layers: [
          tf.layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 5, name: "a" }),
          tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 3, returnSequences: true }), name: "b" }),
          tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 4, name: "c" }), name: "d" }),
          tf.layers.gru({ units: 3, name: "e" }),
          tf.layers.dense({ units: 2, name: "f" }),
        ],
      }),
    ),
  "tfjs-graph": () => {
    const values = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i + 1));
    return Promise.resolve(
      graphModel({
        inputs: [placeholder("x", [null, 6, 6, 2])],
        weights: [
          weight("k", [3, 3, 2, 4], values(72)),
          weight("b", [4], values(4)),
          ints("s", [-1, 36]),
          weight("w", [36, 3], values(108)),
        ],
        nodes: [
          node("Conv2D", "c", ["x", "k"], { strides: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" }),
          node("BiasAdd", "a", ["c", "b"]),
          node("Relu", "r", ["a"]),
          node("MaxPool", "p", ["r"], { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: "VALID" }),
          node("Reshape", "f", ["p", "s"]),
          node("MatMul", "m", ["f", "w"], { transpose_a: false, transpose_b: false }),
          node("Softmax", "y", ["m"]),
        ],
        outputs: ["y"],
      }),
    );
  },
};

const quantisations: readonly FolderOptions[] = [
  {},
  { quantise: "uint8" },
  { quantise: "float16" },
  { shardSize: 100 },
];

export interface TfjsMutant {
  readonly files: Folder;
  readonly kinds: readonly string[];
}

/** Mutants of one model. */
export async function tfjsMutants(seed: string): Promise<(number: number) => TfjsMutant> {
  const model = await tfjsSeeds[seed]!();
  return (number) => mutant(model, new Random(number));
}

type Container = Record<string, unknown> | unknown[];

function mutant(model: TfjsModel, random: Random): TfjsMutant {
  const { json, shards } = tfjsFiles(model, random.of(quantisations));
  const root = JSON.parse(JSON.stringify(json)) as Record<string, unknown>;
  const kinds: string[] = [];
  if (random.chance(0.85)) {
    for (let n = 1 + random.below(3); n > 0; n--) {
      const kind = random.of(Object.keys(jsonMutations));
      jsonMutations[kind]!(containersOf(root), random);
      kinds.push(kind);
    }
  }
  const files = new Map<string, Uint8Array>([["model.json", Buffer.from(JSON.stringify(root))], ...shards]);
  if (kinds.length === 0 || random.chance(0.1)) {
    const kind = random.of(Object.keys(byteMutations));
    byteMutations[kind]!(files, random.of([...files.keys()]), random);
    kinds.push(kind);
  }
  return { files, kinds };
}

/** All objects and lists, the outermost among them. */
function containersOf(root: Container): Container[] {
  const found: Container[] = [root];
  for (const container of found)
    for (const value of Object.values(container))
      if (typeof value === "object" && value !== null) found.push(value as Container);
  return found.filter((container) => Object.keys(container).length > 0);
}

const strange: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 2, 3, 0.5, -0, 4, 7, 255, 2 ** 31, 2 ** 32, 2 ** 53, 1e12, 1e300, -1e300, 5e-324],
  ...["", "x", "same", "valid", "softmax", "Dense", "Conv2D", "MatMul", "Const", "Placeholder", "Switch", "float32"],
  ...["int32", "string", "bool", "DT_INT32", "DT_STRING", "../x", "https://x/y", "x:9999999", "^x", "AAAA", "%", "-1"],
  ...inheritedNames,
  ...[[], {}, [[]], [null], [1, 2, 3], { class_name: "Dense", config: {} }, { i: "3" }, { list: {} }, { s: "!!!" }],
];

/** An entry of a container, which may be changed. */
function someEntry(containers: readonly Container[], random: Random): { at: Container; key: string } {
  const at = random.of(containers);
  return { at, key: random.of(Object.keys(at)) };
}

const get = (at: Container, key: string): unknown => (at as Record<string, unknown>)[key];
const put = (at: Container, key: string, value: unknown): void => {
  // Never through a setter that every object has.
  Object.defineProperty(at, key, { value, enumerable: true, configurable: true, writable: true });
};

const jsonMutations: Readonly<Record<string, (containers: readonly Container[], random: Random) => void>> = {
  "value replaced": (containers, random) => {
    const { at, key } = someEntry(containers, random);
    put(at, key, random.of(strange));
  },
  "number changed": (containers, random) => {
    for (let tries = 0; tries < 20; tries++) {
      const { at, key } = someEntry(containers, random);
      const value = get(at, key);
      if (typeof value !== "number") continue;
      put(at, key, random.of([value + 1, value - 1, -value, value * 2, value * 1e6, value / 3, String(value)]));
      return;
    }
  },
  "value moved": (containers, random) => {
    const from = someEntry(containers, random);
    const to = someEntry(containers, random);
    put(to.at, to.key, JSON.parse(JSON.stringify(get(from.at, from.key) ?? null)));
  },
  "entry left out": (containers, random) => {
    const { at, key } = someEntry(containers, random);
    if (Array.isArray(at)) at.splice(Number(key), 1);
    else Reflect.deleteProperty(at, key);
  },
  "entry given": (containers, random) => {
    const { at } = someEntry(containers, random);
    if (Array.isArray(at)) at.push(random.of(strange));
    else
      put(at, random.of([...inheritedNames, "name", "weights", "stateful", "activation", "attr"]), random.of(strange));
  },
  "entry twice": (containers, random) => {
    const lists = containers.filter((one): one is unknown[] => Array.isArray(one));
    const list = random.maybe(lists);
    if (list !== undefined) list.splice(random.below(list.length), 0, random.of(list));
  },
};

const byteMutations: Readonly<Record<string, (files: Map<string, Uint8Array>, name: string, random: Random) => void>> =
  {
    "bytes changed": (files, name, random) => {
      const bytes = Uint8Array.from(files.get(name)!);
      for (let n = 1 + random.below(6); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
      files.set(name, bytes);
    },
    "cut off": (files, name, random) => {
      const bytes = files.get(name)!;
      files.set(name, bytes.subarray(0, random.below(bytes.length)));
    },
    "made longer": (files, name, random) => {
      files.set(name, Buffer.concat([files.get(name)!, new Uint8Array(1 + random.below(20))]));
    },
    missing: (files, name) => {
      if (name !== "model.json") files.delete(name);
    },
  };
