/** Programs: what is fed, what is asked for, and constants that come from elsewhere. */
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import type { Constant } from "../../server/src/graph/graph.js";
import { Program } from "../../server/src/runtime/program.js";
import { graphModel } from "../support/backward.js";
import { node, tensor, value } from "../support/models.js";

/** sum = a + b, product = a · big, big a constant too large to lie in the graph. */
const big = Array.from({ length: 4096 }, (_, i) => i);
const made = graphModel({
  nodes: [node("Add", ["a", "b"], ["sum"]), node("Mul", ["a", "big"], ["product"])],
  inputs: [value("a", "float", ["n", 1]), value("b", "float", ["n", 1])],
  outputs: [value("sum", "float", null)],
  initializers: [tensor("big", "float", [1, 4096], big)],
});
const column = (...numbers: number[]): ort.Tensor =>
  new ort.Tensor("float32", Float32Array.from(numbers), [numbers.length, 1]);

const opened = (outputs: readonly string[], asked: string[] = []): Promise<Program> =>
  Program.open(made, made.graph, {
    outputs,
    inputShapes: new Map([
      ["a", [2, 1]],
      ["b", [2, 1]],
    ]),
    threads: 1,
    optimise: true,
    constant: ({ name, tensor: { shape } }: Constant) => {
      asked.push(name);
      return Promise.resolve(new ort.Tensor("float32", Float32Array.from(big), shape));
    },
  });
const numbers = (one: ort.Tensor | undefined): number[] => [...(one!.data as Float32Array)];

it("gives the outputs that are asked for, each once", async () => {
  const program = await opened(["sum", "product", "sum"]);
  try {
    const feeds = { a: column(1, 2), b: column(10, 20) };
    const all = await program.run(feeds);
    expect(Object.keys(all).sort()).toEqual(["product", "sum"]);
    expect(numbers(all["sum"])).toEqual([11, 22]);
    expect(Object.keys(await program.run(feeds, ["sum", "sum"]))).toEqual(["sum"]);
  } finally {
    await program.close();
  }
});

it("asks once for a constant that is not in the graph, and feeds it to every run", async () => {
  const asked: string[] = [];
  const program = await opened(["product"], asked);
  try {
    for (const factor of [1, 3]) {
      const { product } = await program.run({ a: column(factor, 0), b: column(0, 0) });
      expect(numbers(product).slice(0, 4096)).toEqual(big.map((one) => factor * one));
    }
    expect(asked).toEqual(["big"]);
  } finally {
    await program.close();
  }
});

it("leaves out feeds that nothing takes, and names an input that has none", async () => {
  const program = await opened(["sum"]);
  try {
    const { sum } = await program.run({ a: column(1, 2), b: column(3, 4), stray: column(5) });
    expect(numbers(sum)).toEqual([4, 6]);
    await expect(program.run({ a: column(1, 2) })).rejects.toMatchObject({
      code: "missing-data",
      message: 'There is no data for input "b".',
      about: { value: "b" },
    });
  } finally {
    await program.close();
  }
});

it("says what ONNX Runtime does not take", async () => {
  const program = await opened(["sum"]);
  try {
    await expect(program.run({ a: column(1, 2, 3), b: column(1, 2) })).rejects.toMatchObject({
      code: "unsupported-format",
      message: expect.stringContaining("ONNX Runtime") as string,
    });
  } finally {
    await program.close();
  }
});
