/** Laws of differentiation itself, whatever the operators: what is built, what is summed, what is cut and how it is named. */
import { describe, expect, it } from "vitest";
import type { MissingGradient } from "../../server/src/autodiff/differentiate.js";
import { backward, evaluate, graphModel } from "../support/backward.js";
import { graph, type GraphParts, node, tensor, value } from "../support/models.js";

const row = (name: string): ReturnType<typeof value> => value(name, "float", [3]);
const total = (of: string): ReturnType<typeof node> => node("ReduceSum", [of], ["loss"], { keepdims: 0 });

/** A graph of rows of three elements whose loss is the sum of `y`. */
const summed = (
  inputs: readonly string[],
  nodes: GraphParts["nodes"],
  more: Partial<GraphParts> = {},
): ReturnType<typeof graphModel> =>
  graphModel({
    nodes: [...nodes, total("y")],
    inputs: inputs.map(row),
    outputs: [value("loss", "other", null)],
    ...more,
  });

/** Number of nodes that differentiation added. */
async function added(made: ReturnType<typeof graphModel>, by: readonly string[]): Promise<number> {
  return (await backward(made, "loss", by)).graph.nodes.length - made.graph.nodes.length;
}

const chain = (from: string, to: string, length: number): GraphParts["nodes"] =>
  Array.from({ length }, (_, i) =>
    node("Tanh", [i === 0 ? from : `${to}${i}`], [i === length - 1 ? to : `${to}${i + 1}`]),
  );

describe("what several uses of a value contribute", () => {
  it("is summed: over nodes, and over the inputs of one node", async () => {
    const made = summed(["x"], [node("Mul", ["x", "x"], ["square"]), node("Add", ["square", "x"], ["y"])]);
    const { graph: both, gradients } = await backward(made, "loss", ["x"]);
    const gradient = gradients.get("x")!;
    const values = await evaluate(made, both, [gradient], new Map([["x", Float32Array.of(-1, 0, 2)]]));
    expect([...values.get(gradient)!]).toEqual([-1, 1, 5]);
  });

  it("is summed over broadcast axes once, after everything is added", async () => {
    const made = graphModel({
      nodes: [
        node("Mul", ["a", "x"], ["p"]),
        node("Mul", ["b", "x"], ["q"]),
        node("Add", ["p", "q"], ["y"]),
        total("y"),
      ],
      inputs: [value("a", "float", [4, 3]), value("b", "float", [4, 3]), row("x")],
      outputs: [value("loss", "other", null)],
    });
    const { graph: both } = await backward(made, "loss", ["x"]);
    const sums = both.nodes.filter(({ op }) => op === "ReduceSum");
    // The loss's own, and one for x.
    expect(sums).toHaveLength(2);
  });
});

describe("what is built", () => {
  const nodes = [node("Mul", ["x", "w"], ["y"])];

  it("leaves out branches that the loss does not depend on", async () => {
    const plain = await added(summed(["x", "w"], nodes), ["w"]);
    expect(await added(summed(["x", "w"], [...nodes, ...chain("y", "dead", 5)]), ["w"])).toBe(plain);
  });

  it("stops where no requested value lies behind", async () => {
    const plain = await added(summed(["x", "w"], nodes), ["w"]);
    const behind = summed(["x0", "w"], [...chain("x0", "x", 5), ...nodes]);
    expect(await added(behind, ["w"])).toBe(plain);
    expect(await added(behind, ["w", "x0"])).toBeGreaterThan(plain);
  });

  it("is nothing for nothing", async () => {
    expect(await added(summed(["x", "w"], nodes), [])).toBe(0);
  });

  it("keeps every node and output of the graph", async () => {
    const made = summed(["x", "w"], nodes);
    const { graph: both } = await backward(made, "loss", ["w"]);
    expect(both.nodes.slice(0, made.graph.nodes.length)).toEqual(made.graph.nodes);
    expect(both.outputs).toEqual(made.graph.outputs);
  });

  it("has names that nothing in the graph has", async () => {
    const taken = summed(["x", "w"], [node("Mul", ["x", "w"], ["d/Mul_1"]), node("Mul", ["d/Mul_1", "w"], ["y"])]);
    const { graph: both } = await backward(taken, "loss", ["w"]);
    const names = both.nodes.flatMap(({ outputs }) => outputs);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("a requested value", () => {
  it("that the loss does not depend on is in neither map", async () => {
    const made = summed(["x", "w"], [node("Tanh", ["x"], ["y"]), node("Tanh", ["w"], ["other"])]);
    const { gradients, cut } = await backward(made, "loss", ["x", "w"]);
    expect([...gradients.keys()]).toEqual(["x"]);
    expect(cut.size).toBe(0);
  });

  it("behind a step function is in neither map", async () => {
    const made = summed(
      ["x", "w"],
      [
        node("Round", ["w"], ["steps"]),
        node("Greater", ["x", "w"], ["larger"]),
        node("Where", ["larger", "steps", "x"], ["y"]),
      ],
    );
    const { gradients, cut, missing } = await backward(made, "loss", ["x", "w"]);
    expect([...gradients.keys()]).toEqual(["x"]);
    expect([...cut.keys(), ...missing]).toEqual([]);
  });

  it("may be a value in the middle", async () => {
    const made = summed(["x"], [node("Tanh", ["x"], ["t"]), node("Mul", ["t", "t"], ["y"])]);
    const { gradients } = await backward(made, "loss", ["t"]);
    expect([...gradients.keys()]).toEqual(["t"]);
  });
});

describe("an operator without a rule", () => {
  const unknown = { name: "running total" };
  const totals = (from: string, to: string): ReturnType<typeof node> =>
    node("CumSum", [from, "axis"], [to], {}, unknown);
  const axis = { initializers: [tensor("axis", "int64", [], [0])] };
  const missing: MissingGradient = {
    node: "running total",
    operator: "CumSum",
    reason: "there is no gradient for CumSum",
  };

  it("cuts what lies behind it, and nothing else", async () => {
    const made = summed(
      ["x", "behind", "beside", "after"],
      [
        node("Mul", ["x", "behind"], ["a"]),
        totals("a", "b"),
        node("Mul", ["b", "after"], ["c"]),
        node("Mul", ["x", "beside"], ["d"]),
        node("Add", ["c", "d"], ["y"]),
      ],
      axis,
    );
    const result = await backward(made, "loss", ["behind", "beside", "after"]);
    expect([...result.gradients.keys()]).toEqual(["beside", "after"]);
    expect([...result.cut]).toEqual([["behind", [missing]]]);
    expect(result.missing).toEqual([missing]);
  });

  it("cuts what has another path too: half a gradient is none", async () => {
    const made = summed(
      ["x", "w"],
      [node("Mul", ["x", "w"], ["a"]), totals("a", "b"), node("Add", ["a", "b"], ["y"])],
      axis,
    );
    const result = await backward(made, "loss", ["w"]);
    expect(result.gradients.size).toBe(0);
    expect(result.cut.get("w")).toEqual([missing]);
  });

  it("is not missed where the loss does not depend on it", async () => {
    const made = summed(["x", "w"], [node("Mul", ["x", "w"], ["y"]), totals("y", "unused")], axis);
    expect((await backward(made, "loss", ["w"])).missing).toEqual([]);
  });

  it("is not missed where nothing requested lies behind it", async () => {
    const made = summed(["x", "w"], [totals("x", "a"), node("Mul", ["a", "w"], ["y"])], axis);
    const result = await backward(made, "loss", ["w"]);
    expect(result.missing).toEqual([]);
    expect([...result.gradients.keys()]).toEqual(["w"]);
  });
});

describe("a branch that is left in the graph", () => {
  it("cuts what it reads from outside, and is named", async () => {
    const branch = (name: string, op: string): ReturnType<typeof graph> =>
      graph({ name, nodes: [node(op, ["h"], [name])], outputs: [value(name, "float", [3])] });
    const made = graphModel({
      nodes: [
        node("Mul", ["x", "w"], ["h"]),
        node(
          "If",
          ["condition"],
          ["y"],
          { then_branch: branch("tanh", "Tanh"), else_branch: branch("exp", "Exp") },
          { name: "choice" },
        ),
        node("Mul", ["y", "v"], ["z"]),
        total("z"),
      ],
      inputs: [value("condition", "bool", []), row("x"), row("w"), row("v")],
      outputs: [value("loss", "other", null)],
    });
    const result = await backward(made, "loss", ["w", "v"]);
    expect([...result.gradients.keys()]).toEqual(["v"]);
    expect(result.cut.get("w")?.map(({ node: name, operator }) => [name, operator])).toEqual([["choice", "If"]]);
  });
});

describe("element types", () => {
  const double = 11;

  it("other than float32 are passed through, and cut where something is computed in them", async () => {
    const moved = [
      node("Cast", ["x"], ["wide"], { to: double }),
      node("Transpose", ["wide"], ["turned"]),
      node("Cast", ["turned"], ["y"], { to: 1 }),
    ];
    expect([...(await backward(summed(["x"], moved), "loss", ["x"])).gradients.keys()]).toEqual(["x"]);
    const computed = [
      node("Cast", ["x"], ["wide"], { to: double }),
      node("Mul", ["wide", "wide"], ["square"], {}, { name: "in double" }),
      node("Cast", ["square"], ["y"], { to: 1 }),
    ];
    const result = await backward(summed(["x"], computed), "loss", ["x"]);
    expect(result.cut.get("x")).toEqual([
      { node: "in double", operator: "Mul", reason: "it computes in double, and gradients in float32 only" },
    ]);
  });
});

describe("the loss", () => {
  it("has to be one number", async () => {
    const made = summed(["x"], [node("Tanh", ["x"], ["y"])]);
    await expect(backward(made, "y", ["x"])).rejects.toMatchObject({ code: "shape-mismatch" });
  });
});
