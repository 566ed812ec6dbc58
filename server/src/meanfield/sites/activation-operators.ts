/** Operators that are an activation by themselves, with their attributes read into its parameters. */
import { float16ToNumber } from "../../graph/float16.js";
import { type Node, operatorLabel } from "../../graph/graph.js";
import { literalValues } from "../../graph/literal.js";
import type { Links } from "../../graph/links.js";
import { constantBehind } from "../../graph/weighted-sum.js";
import type { Activation } from "../activations/activation.js";
import { activationNamed } from "../activations/index.js";

type Read = (node: Node, links: Links) => Activation | null;

const plain =
  (id: string): Read =>
  () =>
    activationNamed(id);

/** Attributes that are the parameters, with ONNX's defaults. */
const withAttributes =
  (id: string, defaults: Readonly<Record<string, number>>): Read =>
  (node) => {
    const given = Object.entries(defaults).map(([name, fallback]) => {
      const attribute = node.attributes.get(name);
      const value =
        attribute?.kind === "float" ? attribute.value : attribute?.kind === "int" ? Number(attribute.value) : null;
      // Files hold float32: the shortest number that is the same says it better.
      return [name, value === null ? fallback : Number(value.toPrecision(7))] as const;
    });
    return activationNamed(id, Object.fromEntries(given));
  };

const clip: Read = (node, links) => {
  const bound = (name: string, index: number): number | null => {
    const attribute = node.attributes.get(name);
    if (attribute?.kind === "float") return attribute.value;
    return scalarOf(links, node.inputs[index] ?? "");
  };
  const [min, max] = [bound("min", 1), bound("max", 2)];
  if (min === 0 && (max === null || max > 1e30)) return activationNamed("relu");
  if (min === null || max === null) return null;
  if (min === 0 && max === 6) return activationNamed("relu6");
  return min === -1 && max === 1 ? activationNamed("hard-tanh") : activationNamed("clip", { min, max });
};

const pRelu: Read = (node, links) => {
  const slopes = literalsOf(links, node.inputs[1] ?? "");
  const [slope] = slopes ?? [];
  return slope !== undefined && slopes!.every((one) => one === slope) ? activationNamed("prelu", { slope }) : null;
};

const gelu: Read = (node) => {
  const approximate = node.attributes.get("approximate");
  const tanh = approximate?.kind === "string" && new TextDecoder().decode(approximate.value) === "tanh";
  return activationNamed(tanh ? "gelu-tanh" : "gelu");
};

const operators: Readonly<Record<string, Read>> = {
  Celu: withAttributes("celu", { alpha: 1 }),
  Clip: clip,
  Elu: withAttributes("elu", { alpha: 1 }),
  Erf: plain("erf"),
  Gelu: gelu,
  HardSigmoid: withAttributes("hard-sigmoid", { alpha: 0.2, beta: 0.5 }),
  HardSwish: plain("hard-swish"),
  LeakyRelu: withAttributes("leaky-relu", { alpha: 0.01 }),
  Mish: plain("mish"),
  PRelu: pRelu,
  Relu: plain("relu"),
  Selu: withAttributes("selu", { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }),
  Sigmoid: plain("sigmoid"),
  Sin: plain("sin"),
  Softplus: plain("softplus"),
  Softsign: plain("softsign"),
  Swish: (node, links) => withAttributes("silu", { alpha: 1 })(node, links),
  Tanh: plain("tanh"),
  ThresholdedRelu: withAttributes("thresholded-relu", { alpha: 1 }),
  "com.microsoft.FastGelu": (node) => (node.inputs.length === 1 ? activationNamed("gelu-tanh") : null),
  "com.microsoft.Gelu": plain("gelu"),
  "com.microsoft.QuickGelu": withAttributes("silu", { alpha: 1.702 }),
};

/** The activation that `node` is; null for other operators, and where its parameters are out of range or no constants. */
export function activationOfNode(node: Node, links: Links): Activation | null {
  const label = operatorLabel(node);
  if (!Object.hasOwn(operators, label)) return null;
  try {
    return operators[label]!(node, links);
  } catch {
    // Parameters that the family refuses: a Clip whose bounds meet, say. It is then no activation that we know.
    return null;
  }
}

/** The activation of a plain recurrent layer (Tanh where it names none); null for gates, and where directions differ. */
export function recurrentActivation(node: Node): Activation | null {
  if (operatorLabel(node) !== "RNN") return null;
  const attribute = node.attributes.get("activations");
  const named = attribute?.kind === "strings" ? attribute.value.map((one) => new TextDecoder().decode(one)) : ["Tanh"];
  const [op] = named;
  const plainOnes = ["Relu", "Sigmoid", "Softplus", "Softsign", "Tanh"];
  return op !== undefined && plainOnes.includes(op) && named.every((one) => one === op) ? activationNamed(op) : null;
}

/** The activation inside a fused convolution or product; null where there is none that we know. */
export function fusedActivation(node: Node): Activation | null {
  const attribute = node.attributes.get("activation");
  if (attribute?.kind !== "string") return null;
  const op = new TextDecoder().decode(attribute.value);
  const parameters = node.attributes.get("activation_params");
  const [a, b] = parameters?.kind === "floats" ? parameters.value : [];
  switch (op) {
    case "Relu":
    case "Tanh":
    case "Sigmoid":
      return activationNamed(op);
    case "LeakyRelu":
      return activationNamed("leaky-relu", { alpha: a ?? 0.01 });
    case "HardSigmoid":
      return activationNamed("hard-sigmoid", { alpha: a ?? 0.2, beta: b ?? 0.5 });
    default:
      return null;
  }
}

/** Numbers of a small constant; null where it is none. */
export function literalsOf(links: Links, value: string): readonly number[] | null {
  const constant = value === "" ? null : constantBehind(links, value);
  if (constant === null) return null;
  const { inline, tensor } = constant;
  if (tensor.dtype !== "float16" || tensor.encoding !== "raw") return literalValues(constant);
  return inline === null ? null : Array.from(new Uint16Array(Uint8Array.from(inline).buffer), float16ToNumber);
}

/** The number of a constant with one element. */
export function scalarOf(links: Links, value: string): number | null {
  const numbers = literalsOf(links, value);
  return numbers?.length === 1 ? numbers[0]! : null;
}
