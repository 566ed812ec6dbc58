/** What activations say of themselves: slopes, bends, homogeneity, limits, and the operator they stand for. */
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import type { Activation } from "../../server/src/meanfield/activations/activation.js";
import { activationNamed, activations } from "../../server/src/meanfield/activations/index.js";
import { everyActivation, named } from "../cases/activations.js";
import { model, modelBytes, node } from "../support/model-builder.js";
import { tensor, value } from "../support/model-tensors.js";
import { runBytes } from "../support/run-model.js";

const points = Array.from({ length: 241 }, (_, i) => (i - 120) / 10 + 0.0371);
const awayFromBends = ({ bends }: Activation): number[] =>
  points.filter((u) => bends.every(({ at }) => Math.abs(u - at) > 0.01));

describe.each(named(everyActivation))("%s", (_, activation) => {
  it("has the slope that differences give", () => {
    const h = 1e-5;
    for (const u of awayFromBends(activation)) {
      const difference = (activation.value(u + h) - activation.value(u - h)) / (2 * h);
      // h²/6 of the third derivative (a few units), and rounding over h.
      expect(Math.abs(activation.slope(u) - difference), `at ${u}`).toBeLessThan(1e-8);
    }
  });

  it("is homogeneous exactly when it says so", () => {
    const holds = points.every((u) => Math.abs(activation.value(3 * u) - 3 * activation.value(u)) < 1e-12);
    expect(holds).toBe(activation.homogeneous);
    if (activation.homogeneous) expect(activation.exact).not.toBeNull();
  });

  it("goes to its limits", () => {
    // Tails that are lines do so exactly, others within a constant over u.
    expect(activation.value(-1e9) / -1e9).toBeCloseTo(activation.tails.left, 7);
    expect(activation.value(1e9) / 1e9).toBeCloseTo(activation.tails.right, 7);
  });

  it("jumps only where it says so", () => {
    const step = Math.max(
      ...activation.bends.map(({ at }) => Math.abs(activation.value(at + 1e-9) - activation.value(at - 1e-9))),
    );
    expect(step > 1e-6).toBe(activation.jumps);
  });

  it("stays finite far out", () => {
    for (const u of [-1e6, -800, 800, 1e6])
      expect(Number.isFinite(activation.value(u)) && Number.isFinite(activation.slope(u))).toBe(true);
  });

  it("is the operator it names, in ONNX Runtime", async () => {
    const { op, attributes } = activation.onnx;
    // Bounds and a slope that are inputs.
    const constants = op === "Clip" || op === "PRelu" ? Object.entries(attributes) : [];
    const words = constants.length > 0 ? [] : Object.entries(attributes);
    const made = model({
      opset: op === "Swish" ? 24 : 22,
      ir: 10,
      graph: {
        nodes: [
          node(
            op,
            ["x", ...constants.map(([name]) => name)],
            ["y"],
            Object.fromEntries(words.map(([name, word]) => [name, typeof word === "number" ? { float: word } : word])),
          ),
        ],
        inputs: [value("x", "float", [points.length])],
        outputs: [value("y", "float", [points.length])],
        initializers: constants.map(([name, number]) =>
          tensor(name, "float", op === "Clip" ? [] : [1], [Number(number)]),
        ),
      },
    });
    const x = new ort.Tensor("float32", Float32Array.from(points), [points.length]);
    const { y } = await runBytes(modelBytes(made), { x });
    Array.from(y!.data as Float32Array).forEach((found, i) => {
      const u = Math.fround(points[i]!);
      // float32, and ONNX Runtime's approximations of tanh and erf.
      expect(Math.abs(found - activation.value(u)), `at ${u}`).toBeLessThan(3e-6 * Math.max(1, Math.abs(u)));
    });
  });
});

describe("the list", () => {
  it("is sorted, and no two names are the same", () => {
    const ids = activations.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    const all = activations.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(new Set(all).size).toBe(all.length);
  });

  it.each(["LeakyRelu", "leaky_relu", "LRELU", "leaky-relu"])("finds %s", (name) => {
    expect(activationNamed(name).onnx.op).toBe("LeakyRelu");
  });

  it("names what differs from the defaults", () => {
    expect(activationNamed("clip", { min: -1, max: 2 }).name).toBe("clip(max=2)");
    expect(activationNamed("swish").name).toBe("silu");
  });

  it.each([
    ["soft", {}, /no activation "soft".*softplus/],
    ["relu", { alpha: 1 }, /no parameter "alpha"/],
    ["elu", { beta: 1 }, /It has alpha/],
    ["elu", { alpha: NaN }, /finite/],
    ["celu", { alpha: 0 }, /above 0/],
    ["clip", { min: 2 }, /min must be below max/],
    ["hard-sigmoid", { alpha: 0 }, /must not be 0/],
    ["silu", { alpha: -1 }, /above 0/],
    ["selu", { gamma: -1 }, /above 0/],
  ])("refuses %s with %j", (name, parameters: Record<string, number>, words) => {
    const thrown = (): unknown => activationNamed(name, parameters);
    expect(thrown).toThrow(PruneScopeError);
    expect(thrown).toThrow(words);
  });
});
