/** Topologies of layers models. */
import { type BadFiles, type BadTfjs, dense, layer, layers, on, set } from "./sound-parts.js";

/** The layers model with a chain of layers in place of its Dense layer, in the order that `order` gives them. */
const chain = (length: number, order: (layers: object[]) => object[] = (inner) => inner): BadFiles =>
  layers((parts) => {
    const name = (i: number): string => (i < 0 ? "x" : `r${i}`);
    const inner = Array.from({ length }, (_, i) => layer("ReLU", name(i), {}, on(name(i - 1))));
    const ends = { output_layers: [[name(length - 1), 0, 0]] };
    Object.assign(parts.config, { layers: [parts.x, ...order(inner)], ...ends });
  });

/** Names that every object answers to. */
const inherited = ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"];

const sequence = (inner: object[], name: string): object => ({
  class_name: "Sequential",
  config: { name, layers: inner },
});

export const badLayers: readonly BadTfjs[] = [
  ...["toString", "constructor", "hasOwnProperty", "to_string", "PruneScopePlaceholder"].map((name) => ({
    name: `the class ${name}`,
    files: () => layers(set("d", { class_name: name })),
    code: "malformed-model" as const,
    words: /has a layer of class or activation ".*", which there is not. It may be an attack/,
  })),
  ...["toString", "to_string", "constructor", "valueOf"].map((name) => ({
    name: `the activation ${name}`,
    files: () => dense({ activation: name }),
    code: "malformed-model" as const,
    words: /has a layer of class or activation ".*", which there is not. It may be an attack/,
  })),
  ...["Zeros", "L1L2", "Adam", "relu", "MaxNorm"].map((name) => ({
    name: `${name}, which is no layer, as a layer`,
    files: () => layers(set("d", { class_name: name })),
    code: "unsupported-op" as const,
    words: /Layer "d" in .* is of class/,
  })),
  {
    name: "a class under two names",
    files: () => layers(set("d", { className: "Lambda" })),
    code: "malformed-model",
    words: /has the entry "className" twice/,
  },
  ...[null, 5, ["Dense"], {}].map((name) => ({
    name: `the class ${JSON.stringify(name)}`,
    files: () => layers(set("d", { class_name: name })),
    code: "malformed-model" as const,
    words: /has no class_name/,
  })),
  {
    name: "a layer as a model",
    files: () => layers(({ json, d }) => Object.assign(json, { modelTopology: d })),
    code: "malformed-model",
    words: /The model in .* is of class "Dense", which is no model/,
  },
  {
    name: "a regulariser of a class that is none",
    files: () => dense({ extra: { class_name: "toString", config: {} } }),
    code: "unsupported-op",
    words: /Layer "d" in .* is of class "toString"/,
  },
  ...inherited
    .filter((name) => !["__proto__", "constructor"].includes(name))
    .map((name) => ({
      name: `a layer called ${name}`,
      files: () =>
        layers(({ config, d }) => {
          Object.assign(d, { name });
          Object.assign(d.config, { name });
          Object.assign(config, { output_layers: [[name, 0, 0]] });
        }),
      code: "malformed-model" as const,
      words: /has a name that every object of JavaScript has an entry of/,
    })),
  ...[undefined, "", null, 5, {}].map((name) => ({
    name: `a layer called ${JSON.stringify(name)}`,
    files: () => dense({ name }),
    code: "malformed-model" as const,
    words: /Layer 1 of the model in .* has no name/,
  })),
  {
    name: "a name of a megabyte",
    files: () => dense({ name: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /has a name of 1000000 characters/,
  },
  {
    name: "a text of a megabyte",
    files: () => dense({ note: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /has a text of 1000000 characters/,
  },
  {
    name: "a layer under two names",
    files: () => layers(set("d", { name: "e" })),
    code: "malformed-model",
    words: /Layer "d" in .* is called "e" where its config has "d"/,
  },
  {
    name: "two layers of one name",
    files: () => layers((parts) => parts.layers.push(layer("ReLU", "d", {}, on("x")))),
    code: "malformed-model",
    words: /has two layers called "d"/,
  },
  {
    name: "no layers",
    files: () => layers(set("config", { layers: [] })),
    code: "malformed-model",
    words: /has no layers/,
  },
  {
    name: "a layer that is a text",
    files: () => layers(set("config", { layers: ["Dense"] })),
    code: "malformed-model",
    words: /Layer 0 of the model in .* is no object/,
  },
  {
    name: "a layer without a config",
    files: () => layers(set("d", { config: undefined })),
    code: "malformed-model",
    words: /has no config/,
  },
  ...[[-4], ["4"], "4", [1e300], { a: 1 }].map((shape) => ({
    name: `the input shape ${JSON.stringify(shape)}`,
    files: () => layers(({ x }) => Object.assign(x.config, { batch_input_shape: shape })),
    code: "malformed-model" as const,
    words: /Layer "x" in .* has the shape .*, which is none/,
  })),
  ...[-1, "3", null, 1.5, {}].map((units) => ({
    name: `${JSON.stringify(units)} units`,
    files: () => dense({ units }),
    code: "malformed-model" as const,
    words: /layer "d"|"d\/kernel"/,
  })),
  ...[2 ** 31, 1e12, 2 ** 53].map((units) => ({
    name: `${units} units, of which nothing is allocated`,
    files: () => dense({ units }),
    code: "malformed-model" as const,
    words: /"d\/kernel" has the shape \[4, 3\], but its layer wants \[4, \d+\]/,
  })),
  {
    name: "a layer whose inputs do not fit each other",
    files: () =>
      layers((parts) => {
        parts.layers.push(layer("Add", "a", {}, on("x", "d")));
        Object.assign(parts.config, { output_layers: [["a", 0, 0]] });
      }),
    code: "malformed-model",
    words: /TensorFlow.js cannot rebuild layer "a" of .*: Operands could not be broadcast/,
  },
  {
    name: "a layer that cannot be made",
    files: () =>
      layers((parts) => {
        parts.layers.push(layer("Conv2D", "c", { filters: 2 }, on("d")));
        Object.assign(parts.config, { output_layers: [["c", 0, 0]] });
      }),
    code: "malformed-model",
    words: /TensorFlow.js cannot rebuild layer "c" of .*kernelSize/,
  },
  ...(
    [
      ["null", null, /has no inbound_nodes for its layer "d"/],
      ["a text", "x", /calls its layer "d" on "x", which is no list of outputs/],
      ["a node in place of its calls", ["x", 0, 0, {}], /calls its layer "d" on "x"/],
      ["a layer that is not there", on("ghost"), /of "d" that it reads "ghost", which is none of its layers/],
      ["toString", on("toString"), /reads "toString", which is none of its layers/],
      ["an output −1", [[["x", 0, -1]]], /reads \["x",0,-1\], which is no output of a layer/],
      ["call 1e300", [[["x", 1e300, 0]]], /which is no output of a layer/],
      ["a call that is not made", [[["x", 9_999_999, 0]]], /"d" that needs its own result, or one that no layer gives/],
      ["itself", on("d"), /has a layer "d" that needs its own result/],
      ["Keras 3's words", [{ args: [], kwargs: {} }], /as Keras 3 writes it.*Save the model with Keras 2/],
    ] as const
  ).map(([name, inbound, words]) => ({
    name: `a layer called on ${name}`,
    files: () => layers(set("d", { inbound_nodes: inbound })),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "two layers that read each other",
    files: () =>
      layers((parts) => {
        Object.assign(parts.d, { inbound_nodes: on("e") });
        parts.layers.push(layer("ReLU", "e", {}, on("d")));
      }),
    code: "malformed-model",
    words: /has a layer "d" that needs its own result/,
  },
  ...(
    [
      ["output_layers", undefined, /has no outputs/],
      ["input_layers", [], /has no inputs/],
      ["output_layers", [["ghost", 0, 0]], /says of its outputs that it reads "ghost"/],
      ["output_layers", [["d", 4, 0]], /call 4 of "d", which is not made/],
      ["output_layers", [["d", 0, 3]], /TensorFlow.js cannot rebuild|reads output/],
      ["input_layers", [["d", 0, 0]], /TensorFlow.js cannot rebuild the layers of .*: Input layers/],
    ] as const
  ).map(([field, ends, words]) => ({
    name: `the ${field} ${JSON.stringify(ends)}`,
    files: () => layers(set("config", { [field]: ends })),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "layers in the reverse of their order",
    files: () => chain(2400, (inner) => inner.reverse()),
    code: "malformed-model",
    words: /lists its layers in an order that takes too long to follow/,
  },
  {
    name: "a chain of layers that exhausts the stack of TensorFlow.js",
    files: () => chain(7000),
    code: "malformed-model",
    words: /its layers form a chain that is too long/,
  },
  {
    name: "more layers than there can be",
    files: () =>
      layers(({ json }) => {
        const many = Array.from({ length: 25_000 }, (_, i) => layer("ReLU", `r${i}`, {}));
        Object.assign(json, { modelTopology: sequence(many, "m") });
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers/,
  },
  {
    name: "models in each other, each called twice",
    files: () =>
      layers(({ json }) => {
        // 2^20 calls of the innermost layer, in 20 models.
        let inner = layer("ReLU", "r", {});
        for (let i = 0; i < 20; i++) {
          const { name } = inner.config;
          const x = `x${i}`;
          // A model has been called once when it is made.
          const first = i === 0 ? 0 : 1;
          const called = { ...inner, inbound_nodes: [[[x, 0, 0]], [[name, first, 0]]] };
          const input = layer("InputLayer", x, { batch_input_shape: [null, 4] });
          const ends = { input_layers: [[x, 0, 0]], output_layers: [[name, first + 1, 0]] };
          inner = layer("Functional", `m${i}`, { layers: [input, called], ...ends });
        }
        Object.assign(json, { modelTopology: { class_name: "Functional", config: inner.config } });
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers, those of nested models counted at every call/,
  },
  {
    name: "what is bidirectional in what is bidirectional",
    files: () =>
      layers((parts) => {
        let inner = layer("LSTM", "l", { units: 2 });
        for (let i = 0; i < 40; i++) inner = layer("Bidirectional", `b${i}`, { layer: inner }, on("d"));
        parts.layers.push(inner);
      }),
    code: "malformed-model",
    words: /calls more than 20000 layers/,
  },
];
