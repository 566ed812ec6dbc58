/** Model-local functions that never end or multiply without bound: each is refused before it takes time or memory. */
import type { NodeProto } from "onnx-buf";
import { graph, localFunction, node, type TestModel, value } from "../support/models.js";
import { type BadModel, broken } from "./bad-model.js";

const domain = "local";
const call = (name: string, input: string, output: string): NodeProto => node(name, [input], [output], {}, { domain });

/** A model of one call of the first function. */
function calling(functions: readonly { readonly name: string; readonly nodes: readonly NodeProto[] }[]): TestModel {
  return broken(
    { nodes: [call(functions[0]!.name, "x", "y")], initializers: [] },
    {
      domains: { [domain]: 1 },
      functions: functions.map(({ name, nodes }) =>
        localFunction({ domain, name, inputs: ["in"], outputs: ["out"], nodes }),
      ),
    },
  );
}

const relu = node("Relu", ["in"], ["out"]);
const twice = (name: string): NodeProto[] => [call(name, "in", "middle"), call(name, "middle", "out")];
/** A node inside `depth` branches. */
function inBranches(depth: number, core: NodeProto): NodeProto {
  if (depth === 0) return core;
  const branch = graph({ nodes: [inBranches(depth - 1, core)], outputs: [value("out", "float", null)] });
  return node("If", ["in"], ["out"], { then_branch: branch });
}

const level = (i: number): string => `f${i}`;

export const badFunctions: readonly BadModel[] = [
  {
    name: "a function that calls itself",
    make: () => calling([{ name: "f", nodes: [call("f", "in", "out")] }]),
    words: /function "local.f" calls itself/,
  },
  {
    name: "two functions that call each other",
    make: () =>
      calling([
        { name: "f", nodes: [call("g", "in", "out")] },
        { name: "g", nodes: [call("f", "in", "out")] },
      ]),
    words: /function "local.f" calls itself/,
  },
  {
    name: "a function that calls itself from a branch",
    make: () =>
      calling([
        {
          name: "f",
          nodes: [
            node("If", ["in"], ["out"], {
              then_branch: graph({ nodes: [call("f", "in", "deeper")], outputs: [value("deeper", "float", null)] }),
            }),
          ],
        },
      ]),
    words: /function "local.f" calls itself/,
  },
  {
    name: "forty functions that call each the next",
    make: () =>
      calling(Array.from({ length: 40 }, (_, i) => ({ name: level(i), nodes: [call(level(i + 1), "in", "out")] }))),
    words: /functions call each other more than 32 deep, at "local.f33"/,
  },
  {
    name: "a thousand functions that call each the one before, called in an order that hides the depth",
    make: () => {
      const chain = Array.from({ length: 1000 }, (_, i) => ({
        name: level(i),
        nodes: [i === 0 ? relu : call(level(i - 1), "in", "out")],
      }));
      const made = calling(chain);
      made.proto.graph!.node = chain.map(({ name }, i) =>
        call(name, i === 0 ? "x" : `v${i - 1}`, i === 999 ? "y" : `v${i}`),
      );
      return made;
    },
    words: /inlining its functions makes/,
  },
  {
    name: "functions whose branches in branches call each the next",
    make: () =>
      calling(
        Array.from({ length: 6 }, (_, i) => ({
          name: level(i),
          nodes: [inBranches(20, i === 5 ? relu : call(level(i + 1), "in", "out"))],
        })),
      ),
    words: /Graphs are nested more than 64 deep/,
  },
  {
    name: "functions that double thirty times",
    make: () =>
      calling([
        ...Array.from({ length: 30 }, (_, i) => ({ name: level(i), nodes: twice(level(i + 1)) })),
        { name: level(30), nodes: [relu] },
      ]),
    words: /inlining its functions makes more than 100000 nodes/,
  },
  {
    name: "functions that multiply what is in their branches",
    make: () =>
      calling([
        ...Array.from({ length: 12 }, (_, i) => ({ name: level(i), nodes: twice(level(i + 1)) })),
        {
          name: level(12),
          nodes: [
            node("If", ["in"], ["out"], {
              then_branch: graph({
                nodes: Array.from({ length: 500 }, (_, i) => node("Relu", ["in"], [`b${i}`])),
                outputs: [value("b0", "float", null)],
              }),
            }),
          ],
        },
      ]),
    words: /inlining its functions makes more than 100000 nodes/,
  },
  {
    name: "functions that multiply a long name",
    make: () =>
      calling([
        ...Array.from({ length: 10 }, (_, i) => ({ name: level(i), nodes: twice(level(i + 1)) })),
        {
          name: level(10),
          nodes: [node("Relu", ["in"], ["n".repeat(100_000)]), node("Relu", ["n".repeat(100_000)], ["out"])],
        },
      ]),
    words: /inlining its functions makes too many or too long names/,
  },
  {
    name: "a function that reads what nothing defines",
    make: () => calling([{ name: "f", nodes: [node("Add", ["in", "ghost"], ["out"])] }]),
    words: /reads ".*ghost", which nothing defines/,
  },
];
