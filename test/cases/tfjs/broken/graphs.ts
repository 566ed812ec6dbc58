/** Nodes and signatures of graph models. */
import { type BadFiles, type BadTfjs, graph, set } from "./sound-parts.js";

/** The graph model with nodes between its MatMul and its output, or beside them. */
const withNodes = (output: string, ...more: readonly object[]): BadFiles =>
  graph((parts) => {
    parts.nodes.push(...more);
    Object.assign(parts.signature, { outputs: { y: { name: `${output}:0` } } });
  });
const named = (name: string, op: string, input: unknown = [], attr: unknown = {}): object => ({
  name,
  op,
  input,
  attr,
});

export const badGraphs: readonly BadTfjs[] = [
  ...(
    [
      ["null", null, /lists a node without a name, operator or inputs/],
      ["without an operator", { name: "a" }, /lists a node without a name, operator or inputs/],
      ["whose inputs are numbers", named("a", "Relu", [1]), /lists a node without a name, operator or inputs/],
      ["that is there twice", named("y", "Relu", ["x"]), /has two nodes called "y"/],
      ["of a name of a megabyte", named("n".repeat(1e6), "Relu", ["x"]), /a node whose name has 1000000 characters/],
    ] as const
  ).map(([name, one, words]) => ({
    name: `a node ${name}`,
    files: () => graph((parts) => parts.nodes.push(one as object)),
    code: "malformed-model" as const,
    words,
  })),
  ...(
    [
      ["a node that is not there", ["ghost"], /has no node "ghost", which others read/],
      ["toString", ["toString"], /has no node "toString", which others read/],
      ["itself", ["r"], /Node "r" of .* needs its own result/],
      ["what reads it", ["s"], /needs its own result/],
      ["output 9999999", ["y:9999999"], /reads output 9999999 of "y", which no operator has/],
      ["an output that is not there", ["y:3"], /Node "r" of .* reads output 3 of "y", which has none/],
      ["nothing", [], /Node "r" \(Relu\) of .* cannot be read: its inputs, attributes and shapes contradict/],
    ] as const
  ).map(([name, input, words]) => ({
    name: `a node that reads ${name}`,
    files: () => withNodes("r", named("r", "Relu", input), named("s", "Relu", ["r"])),
    code: "malformed-model" as const,
    words,
  })),
  {
    name: "a signature that names nothing",
    files: () => withNodes("ghost"),
    code: "malformed-model",
    words: /has no node "ghost", which others read/,
  },
  {
    name: "a constant without a weight",
    files: () => graph(set("weight", { name: "v" })),
    code: "malformed-model",
    words: /Constant "w" has no weight in the manifest/,
  },
  {
    name: "functions that call each other",
    files: () =>
      graph((parts) => {
        const call = (f: string): object => named("c", "PartitionedCall", ["x"], { f: { func: { name: f } } });
        const body = (name: string, f: string): object => ({
          signature: { name, inputArg: [{ name: "x" }], outputArg: [{ name: "y" }] },
          nodeDef: [call(f)],
          ret: { y: "c:output:0" },
        });
        Object.assign(parts.topology, { library: { function: [body("f", "g"), body("g", "f")] } });
        parts.nodes.push(call("f"));
      }),
    code: "malformed-model",
    words: /calls functions that call each other without end/,
  },
  {
    name: "functions that multiply",
    files: () =>
      graph((parts) => {
        // 8^8 nodes.
        const call = (i: number, f: string): object =>
          named(`c${i}`, "PartitionedCall", ["x"], { f: { func: { name: f } } });
        const bodies = Array.from({ length: 8 }, (_, i) => ({
          signature: { name: `f${i}`, inputArg: [{ name: "x" }], outputArg: [{ name: "y" }] },
          nodeDef: Array.from({ length: 8 }, (_, k) => call(k, `f${i + 1}`)),
          ret: { y: "c0:output:0" },
        }));
        Object.assign(parts.topology, { library: { function: bodies } });
        parts.nodes.push(call(0, "f0"));
      }),
    code: "malformed-model",
    words: /calls functions that call each other without end/,
  },
];
