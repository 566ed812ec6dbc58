/** Laws of ordering and scopes. */
import { describe, expect, test } from "vitest";
import type { Node } from "../../server/src/graph/graph.js";
import { topologicalOrder } from "../../server/src/graph/traversal.js";
import { uniform } from "../support/arrays.js";

const made = (name: string, inputs: readonly string[], outputs: readonly string[]): Node => ({
  name,
  op: "Op",
  domain: "",
  inputs,
  outputs,
  attributes: new Map(),
});

/** A seeded graph without cycles: node i reads some of the values of earlier nodes. */
function randomNodes(seed: number, count: number): Node[] {
  const random = uniform(seed);
  return Array.from({ length: count }, (_, i) => {
    const inputs = Array.from({ length: Math.floor(random() * 4) }, () =>
      i === 0 ? "x" : `v${Math.floor(random() * i)}`,
    );
    return made(`n${i}`, inputs, [`v${i}`, ""]);
  });
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = uniform(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

const isInput = (name: string): boolean => name === "x";

describe("topological order", () => {
  test("every node follows those it reads from, whatever order the file has", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const order = topologicalOrder(shuffled(randomNodes(seed, 60), seed + 1000), isInput, "f");
      const seen = new Set(["x", ""]);
      expect(order).toHaveLength(60);
      for (const { inputs, outputs } of order) {
        for (const name of inputs) expect(seen.has(name), `seed ${seed}`).toBe(true);
        for (const name of outputs) seen.add(name);
      }
    }
  });

  test("a list that is in order already keeps its order", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const nodes = randomNodes(seed, 60);
      expect(topologicalOrder(nodes, isInput, "f"), `seed ${seed}`).toEqual(nodes);
    }
  });

  // Quadratic time would be minutes: the test's own time limit tells.
  test("a hundred thousand nodes in reverse order are no trouble", () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => made("", [i === 0 ? "x" : `v${i - 1}`], [`v${i}`]));
    expect(topologicalOrder([...chain].reverse(), isInput, "f")).toEqual(chain);
  });

  test("a cycle is named by a node on it", () => {
    const nodes = [
      made("behind it", ["2"], ["y"]),
      made("before it", ["x"], ["0"]),
      made("a", ["0", "3"], ["1"]),
      made("b", ["1"], ["2"]),
      made("c", ["2"], ["3"]),
    ];
    expect(() => topologicalOrder(nodes, isInput, "f")).toThrow(
      expect.objectContaining({
        code: "malformed-model",
        message: expect.stringMatching(/^The graph has a cycle through node "[abc]".$/) as string,
      }),
    );
  });

  test("a node that reads itself is a cycle", () => {
    expect(() => topologicalOrder([made("", ["y"], ["y"])], isInput, "f")).toThrow(/cycle through node "y"/);
  });

  test("a value that nothing defines is named with the node that reads it", () => {
    expect(() => topologicalOrder([made("a", ["ghost"], ["y"])], isInput, "f")).toThrow(
      expect.objectContaining({
        code: "malformed-model",
        message: 'Node "a" reads "ghost", which nothing defines.',
        about: { file: "f", node: "a", operator: "Op", value: "ghost" },
      }),
    );
  });
});
