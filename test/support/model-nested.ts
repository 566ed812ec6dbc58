/** Models with graphs inside graphs: branches, loop bodies, and model-local functions. */
import { AttributeProto_AttributeType as AttributeType } from "onnx-buf";
import { graph, localFunction, model, node, type TestModel } from "./model-builder.js";
import { weight } from "./model-networks.js";
import { tensor, value } from "./model-tensors.js";

/** An If whose branches hold a weight each: an initializer here, a Constant node there. Inputs `x` [2, 6] and `flag`. */
export function ifBranches({ seed = 1 } = {}): TestModel {
  const result = [value("chosen", "float", [2, 4])];
  return model({
    graph: {
      nodes: [
        node("If", ["flag"], ["y"], {
          then_branch: graph({
            name: "then",
            nodes: [node("MatMul", ["x", "then.weight"], ["chosen"])],
            outputs: result,
            initializers: [weight("then.weight", [6, 4], seed)],
          }),
          else_branch: graph({
            name: "else",
            nodes: [
              node("Constant", [], ["else.weight"], { value: weight("", [6, 4], seed + 1) }),
              node("MatMul", ["x", "else.weight"], ["chosen"]),
            ],
            outputs: result,
          }),
        }),
      ],
      inputs: [value("x", "float", [2, 6]), value("flag", "bool", [])],
      outputs: [value("y", "float", [2, 4])],
    },
  });
}

/** A Loop of three rounds of h ← tanh(h · body.weight · outer.weight); the second weight lies in the graph around it. */
export function loopBody({ seed = 1 } = {}): TestModel {
  return model({
    graph: {
      nodes: [
        node("Loop", ["rounds", "go", "x"], ["y"], {
          body: graph({
            name: "body",
            nodes: [
              node("Identity", ["more"], ["more.next"]),
              node("MatMul", ["h", "body.weight"], ["a"]),
              node("MatMul", ["a", "outer.weight"], ["b"]),
              node("Tanh", ["b"], ["h.next"]),
            ],
            inputs: [value("i", "int64", []), value("more", "bool", []), value("h", "float", [2, 6])],
            outputs: [value("more.next", "bool", []), value("h.next", "float", [2, 6])],
            initializers: [weight("body.weight", [6, 5], seed)],
          }),
        }),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 6])],
      initializers: [
        tensor("rounds", "int64", [], [3]),
        tensor("go", "bool", [], [1]),
        weight("outer.weight", [5, 6], seed + 1),
      ],
    },
  });
}

/** A Scan over x [5, 6]: each row times the body's weight is added to the state. */
export function scanBody({ seed = 1 } = {}): TestModel {
  return model({
    graph: {
      nodes: [
        node("Scan", ["start", "x"], ["end", "rows"], {
          num_scan_inputs: 1,
          body: graph({
            name: "body",
            nodes: [
              node("MatMul", ["row", "scan.weight"], ["a"]),
              node("Add", ["state", "a"], ["state.next"]),
              node("Identity", ["state.next"], ["row.next"]),
            ],
            inputs: [value("state", "float", [4]), value("row", "float", [6])],
            outputs: [value("state.next", "float", [4]), value("row.next", "float", [4])],
            initializers: [weight("scan.weight", [6, 4], seed)],
          }),
        }),
      ],
      inputs: [value("x", "float", [5, 6])],
      outputs: [value("end", "float", [4]), value("rows", "float", [5, 4])],
      initializers: [tensor("start", "float", [4], [0, 0, 0, 0])],
    },
  });
}

/** An If inside an If inside a Loop; the innermost branch reads values of every graph around it. */
export function deepBranches({ seed = 1 } = {}): TestModel {
  const inner = (name: string): ReturnType<typeof graph> =>
    graph({
      name,
      nodes: [node("MatMul", ["middle", `${name}.weight`], ["found"])],
      outputs: [value("found", "float", [2, 6])],
      initializers: [weight(`${name}.weight`, [6, 6], seed)],
    });
  const outer = graph({
    name: "outer",
    nodes: [
      node("MatMul", ["h", "outer.weight"], ["middle"]),
      node("If", ["flag"], ["got"], { then_branch: inner("a"), else_branch: inner("b") }),
    ],
    outputs: [value("got", "float", [2, 6])],
    initializers: [weight("outer.weight", [6, 6], seed + 1)],
  });
  const other = graph({
    name: "other",
    nodes: [node("Identity", ["h"], ["same"])],
    outputs: [value("same", "float", [2, 6])],
  });
  return model({
    graph: {
      nodes: [
        node("Loop", ["rounds", "", "x"], ["y"], {
          body: graph({
            name: "body",
            nodes: [
              node("If", ["flag"], ["h.next"], { then_branch: outer, else_branch: other }),
              node("Identity", ["more"], ["more.next"]),
            ],
            inputs: [value("i", "int64", []), value("more", "bool", []), value("h", "float", [2, 6])],
            outputs: [value("more.next", "bool", []), value("h.next", "float", [2, 6])],
          }),
        }),
      ],
      inputs: [value("x", "float", [2, 6]), value("flag", "bool", [])],
      outputs: [value("y", "float", [2, 6])],
      initializers: [tensor("rounds", "int64", [], [2])],
    },
  });
}

/**
 * `Block` calls `Linear` twice, the model calls `Block` twice: the Constant weight inside `Linear` is one weight with
 * four uses. The slope of LeakyRelu is an attribute of the call, once given and once the default.
 */
export function localFunctions({ seed = 1 } = {}): TestModel {
  const domain = "local.test";
  const linear = localFunction({
    domain,
    name: "Linear",
    inputs: ["x"],
    outputs: ["y"],
    defaults: { slope: 0.25 },
    nodes: [
      node("Constant", [], ["w"], { value: weight("", [6, 6], seed) }),
      node("MatMul", ["x", "w"], ["h"]),
      node("LeakyRelu", ["h"], ["y"], { alpha: { ref: "slope", type: AttributeType.FLOAT } }),
    ],
  });
  const block = localFunction({
    domain,
    name: "Block",
    inputs: ["x", "scale"],
    outputs: ["y"],
    attributes: ["slope"],
    domains: { [domain]: 1 },
    nodes: [
      node("Linear", ["x"], ["a"], { slope: { ref: "slope", type: AttributeType.FLOAT } }, { domain }),
      node("Linear", ["a"], ["b"], {}, { domain }),
      node("Mul", ["b", "scale"], ["y"]),
    ],
  });
  return model({
    domains: { [domain]: 1 },
    functions: [block, linear],
    graph: {
      nodes: [
        node("Block", ["x", "scale"], ["h"], { slope: 0.5 }, { domain, name: "first" }),
        node("Block", ["h", "scale"], ["y"], { slope: 0.125 }, { domain }),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 6])],
      initializers: [tensor("scale", "float", [], [0.5])],
    },
  });
}

/** A function whose body holds an If inside an If; names of the function are read from both depths. */
export function functionWithBranches({ seed = 1 } = {}): TestModel {
  const domain = "local.test";
  const branch = (
    name: string,
    nodes: Parameters<typeof graph>[0]["nodes"],
    output: string,
  ): ReturnType<typeof graph> => graph({ name, nodes, outputs: [value(output, "float", [2, 6])] });
  const inner = node("If", ["flag"], ["picked"], {
    // `half` is the graph's around it, `w` and `x` are the function's.
    then_branch: branch("yes", [node("MatMul", ["half", "w"], ["q"])], "q"),
    else_branch: branch("no", [node("Add", ["half", "x"], ["q"])], "q"),
  });
  const body = localFunction({
    domain,
    name: "Choose",
    inputs: ["x", "flag"],
    outputs: ["y"],
    nodes: [
      node("Constant", [], ["w"], { value: weight("", [6, 6], seed) }),
      node("If", ["flag"], ["y"], {
        then_branch: branch("outer", [node("Add", ["x", "x"], ["half"]), inner], "picked"),
        else_branch: branch("else", [node("Identity", ["x"], ["e"])], "e"),
      }),
    ],
  });
  return model({
    domains: { [domain]: 1 },
    functions: [body],
    graph: {
      nodes: [
        node("Choose", ["x", "flag"], ["h"], {}, { domain, name: "one" }),
        node("Choose", ["h", "flag"], ["y"], {}, { domain, name: "two" }),
      ],
      inputs: [value("x", "float", [2, 6]), value("flag", "bool", [])],
      outputs: [value("y", "float", [2, 6])],
    },
  });
}
