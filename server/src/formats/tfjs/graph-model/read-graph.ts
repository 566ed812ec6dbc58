/** Lowers a graph model: its nodes in the order in which they need each other, from placeholders to outputs. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { DType } from "../../../../protocol/model.js";
import type { Constant, Graph } from "../../../graph/graph.js";
import { reachable } from "../../../graph/reachable.js";
import { elementCount } from "../../../graph/tensor.js";
import type { TfjsDocument } from "../document.js";
import type { Lowered } from "../lowering/lowered.js";
import { orContradiction } from "../lowering/contradiction.js";
import { Lowering } from "../lowering/lowering.js";
import { isBackEdge, reasonOf } from "./control-flow.js";
import { cutOff } from "./cut-off.js";
import type { Dilation } from "./dilated.js";
import { evaluate, type Known, mostKnown } from "./known.js";
import { type NodeDef, portOf } from "./node-def.js";
import { isWhole, type OpRule, type OpSite, Unlowered } from "./rule.js";
import { opRules } from "./rules/index.js";
import { Topology } from "./topology.js";
import { dtypeOf } from "./types.js";

const rules: ReadonlyMap<string, OpRule> = new Map(
  opRules.flatMap((rule) => rule.ops.map((op) => [op, rule] as const)),
);

/** An output of a node that has been lowered. */
interface Result {
  readonly lowered: Lowered;
  readonly dtype: DType;
  readonly known: Known | null;
}

/** `dead`: on a branch that is never taken, and so are all outputs of a dead node. */
type Output = Result | "dead";
type Outputs = readonly Output[] | "dead";

/** The graph of a graph model. @throws PruneScopeError with what is wrong with its topology. */
export function readGraphModel(
  document: TfjsDocument,
  weights: ReadonlyMap<string, Constant>,
): { graph: Graph; notes: readonly string[] } {
  return new GraphReading(new Topology(document), weights).read();
}

class GraphReading {
  readonly #topology: Topology;
  readonly #lowering: Lowering;
  readonly #results = new Map<string, Outputs>();
  /** Nodes that give out one of their inputs, because another node has done their work. */
  readonly #absorbed = new Map<string, number>();
  readonly #unlowered = new Set<string>();
  readonly #dilations = new Map<string, Dilation>();

  constructor(topology: Topology, weights: ReadonlyMap<string, Constant>) {
    this.#topology = topology;
    this.#lowering = new Lowering(weights, [...topology.nodes.keys(), ...topology.outputs]);
  }

  read(): { graph: Graph; notes: readonly string[] } {
    const { outputs, nodes } = this.#topology;
    const placeholders = [...nodes.values()].filter(({ op }) => op === "Placeholder").map(({ name }) => name);
    this.#lowerAll([...placeholders, ...outputs.map((output) => portOf(output).node)]);
    const results = outputs.flatMap((name) => {
      const { node, output } = portOf(name);
      const result = this.#resultOf(name, node, output);
      return result === "dead" ? [] : [{ name, tensor: result.lowered, dtype: result.dtype }];
    });
    const notes = [...this.#lowering.notes, ...cutOff(this.#topology, this.#unlowered)];
    const graph = this.#lowering.graph("", results);
    // Values that were turned round twice, shapes that turned out to be known: nobody reads what they were made of.
    return {
      graph: reachable(
        graph,
        graph.outputs.map(({ name }) => name),
      ),
      notes,
    };
  }

  /** Lowers nodes and all that they need. Post-order with a stack of its own: chains of nodes may be long. */
  #lowerAll(names: readonly string[]): void {
    const open = new Set<string>();
    const stack = [...names].reverse();
    for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
      if (this.#results.has(name)) {
        stack.pop();
        continue;
      }
      const node = this.#topology.node(name);
      const missing = this.#inputsOf(node)
        .map((input) => portOf(input).node)
        .filter((one) => !this.#results.has(one));
      if (missing.length === 0) {
        const { path: file } = this.#topology;
        const about = { file, node: name, operator: node.op };
        const results = orContradiction(`Node "${name}" (${node.op}) of ${file}`, about, () => this.#lower(node));
        this.#results.set(name, results);
        stack.pop();
      } else {
        if (open.has(name))
          throw new PruneScopeError(
            "malformed-model",
            `Node "${name}" of ${this.#topology.path} needs its own result.`,
            {
              file: this.#topology.path,
              node: name,
            },
          );
        open.add(name);
        stack.push(...missing.reverse());
      }
    }
  }

  /** Inputs without those that only a later round of a loop has. */
  #inputsOf(node: NodeDef): readonly string[] {
    return node.inputs.filter((input) => !isBackEdge(node, this.#topology.nodes.get(portOf(input).node)));
  }

  #resultOf(reader: string, name: string, output: number): Output {
    const results = this.#results.get(name)!;
    if (results === "dead") return results;
    const result = results[output];
    if (result !== undefined) return result;
    throw new PruneScopeError(
      "malformed-model",
      `Node "${reader}" of ${this.#topology.path} reads output ${output} of "${name}", which has none.`,
      { file: this.#topology.path, node: reader },
    );
  }

  #lower(node: NodeDef): Outputs {
    const { name, op } = node;
    const given = this.#inputsOf(node).map((input) => {
      const port = portOf(input);
      return this.#resultOf(name, port.node, port.output);
    });
    const alive = given.filter((input) => input !== "dead");
    this.#lowering.scope = name;
    const isLoop = given.length < node.inputs.length;
    if (op === "Merge" && !isLoop && alive.length === 1) {
      const index = given.indexOf(alive[0]!);
      return [alive[0]!, this.#literal({ rank: 0, values: [index] }, "int32")];
    }
    if (alive.length < given.length) return "dead";
    if (op === "Switch") {
      const taken = alive[1]?.known?.values[0];
      if (taken != null) return taken === 0 ? [alive[0]!, "dead"] : ["dead", alive[0]!];
    }
    const absorbed = this.#absorbed.get(name);
    if (absorbed !== undefined) return [alive[absorbed]!];
    return this.#computed(this.#site(node, alive), alive);
  }

  #computed(site: OpSite, inputs: readonly Result[]): readonly Result[] {
    const { node } = site;
    const shapes = inputs.map(({ lowered }) => lowered.shape);
    const known = evaluate({
      node,
      inputs: inputs.map((input) => input.known),
      shapes,
      dtype: site.dtypes[0] ?? "float",
    });
    const rule = rules.get(node.op);
    const types = rule?.dtype?.(site) ?? site.dtypes[0] ?? dtypeOf(node, "T");
    const typeOf = (output: number): DType => (typeof types === "string" ? types : (types[output] ?? types[0]!));
    // Constants stay what they are: weights that refer to the manifest.
    if (known !== null && typeOf(0) !== "float" && isWhole(known.values)) return [this.#literal(known, typeOf(0))];
    const lowered = this.#lowered(site, rule);
    return lowered.map((tensor, output) => ({
      lowered: output === 0 && known !== null ? { ...tensor, shape: knownShape(known) } : tensor,
      dtype: typeOf(output),
      known: node.op === "Const" ? this.#knownWeight(tensor) : output === 0 ? known : null,
    }));
  }

  #lowered(site: OpSite, rule: OpRule | undefined): readonly Lowered[] {
    try {
      if (rule === undefined) throw new Unlowered(reasonOf(site.node.op));
      return rule.lower(site);
    } catch (error) {
      if (!(error instanceof Unlowered)) throw error;
      this.#unlowered.add(site.node.name);
      const shapes = Array.from({ length: site.outputs }, () => null);
      return this.#lowering.unlowered(site.node.op, site.inputs, shapes, error.message);
    }
  }

  #literal(known: Known, dtype: DType): Result {
    const shape = knownShape(known);
    const value = this.#lowering.literal(dtype === "bool" ? "bool" : "int32", shape, known.values as readonly number[]);
    return { lowered: this.#lowering.plain(value, shape), dtype, known };
  }

  #knownWeight(tensor: Lowered): Known | null {
    const { shape } = tensor;
    if (shape === null || shape.length > 1 || elementCount(shape as number[]) > mostKnown) return null;
    const values = this.#lowering.numbers(tensor);
    return values === null ? null : { rank: shape.length as 0 | 1, values };
  }

  #site(node: NodeDef, inputs: readonly Result[]): OpSite {
    const topology = this.#topology;
    const lowering = this.#lowering;
    const constantNode = (name: string): Lowered | null => {
      const from = topology.nodes.get(portOf(name).node);
      return from?.op === "Const" ? lowering.weight(from.weight) : null;
    };
    const site: OpSite = {
      lowering,
      node,
      inputs: inputs.map(({ lowered }) => lowered),
      dtypes: inputs.map(({ dtype }) => dtype),
      outputs: topology.outputsRead(node.name),
      known: (index) => inputs[index]?.known ?? null,
      constant: (index) => {
        const { known = null, lowered } = inputs[index] ?? {};
        const values = known?.values ?? (lowered === undefined ? null : lowering.numbers(lowered));
        if (values !== null && isWhole(values)) return values;
        throw new Unlowered(`its input ${index} is computed while the model runs`);
      },
      dilations: this.#dilations,
      onlyReader: (name) => topology.onlyReader(name),
      constantNamed: (input) => {
        const constant = constantNode(input);
        return constant === null ? null : lowering.numbers(constant);
      },
      absorb: (later, index) => {
        this.#absorbed.set(later.name, index);
      },
      takeBias: (length) => {
        const reader = topology.onlyReader(node.name);
        if (reader === null || !["Add", "AddV2", "BiasAdd"].includes(reader.op) || reader.inputs.length !== 2)
          return null;
        const own = reader.inputs.findIndex((input) => portOf(input).node === node.name);
        const bias = constantNode(reader.inputs[1 - own]!);
        if (length === null || bias?.shape?.length !== 1 || bias.shape[0] !== length) return null;
        this.#absorbed.set(reader.name, own);
        return bias;
      },
    };
    return site;
  }
}

const knownShape = ({ rank, values }: Known): number[] => (rank === 0 ? [] : [values.length]);
