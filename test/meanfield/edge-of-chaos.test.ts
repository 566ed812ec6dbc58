/** Laws of the edge of chaos over all activations, and the figures that DESIGN.md states. */
import { describe, expect, it } from "vitest";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { chi, depthScale } from "../../server/src/meanfield/chi.js";
import { edgeCurve } from "../../server/src/meanfield/edge-curve.js";
import { edgeOfChaos } from "../../server/src/meanfield/edge-of-chaos.js";
import { moments } from "../../server/src/meanfield/moments.js";
import { phaseOf } from "../../server/src/meanfield/phase.js";
import { nextVariance, varianceFlow } from "../../server/src/meanfield/variance-map.js";
import { everyActivation, named } from "../cases/activations.js";

const biases = [0, 1e-6, 0.05, 0.2, 0.5, 5];

describe.each(named(everyActivation))("%s", (_, activation) => {
  const curve = edgeCurve(activation);

  it("every offered point has χ = 1 to 1e-9, holds its variance, and V' < 1 (1 where it is marginal)", () => {
    for (const sigmaB of biases) {
      const { status, point, nearest } = edgeOfChaos(activation, sigmaB, curve);
      expect(status === "none").toBe(point === null);
      for (const offered of [status === "unstable" ? null : point, nearest]) {
        if (offered === null) continue;
        expect(Math.abs(offered.chi - 1)).toBeLessThan(1e-9);
        if (offered.q === null) expect(activation.homogeneous).toBe(true);
        if (offered.q === null || offered.q === 0) {
          expect(offered).toMatchObject({ sigmaB: 0, status: "marginal" });
          expect(Math.abs(offered.vPrime - 1)).toBeLessThan(1e-9);
          continue;
        }
        // Recomputed from the pair alone. q is found to rounding of σ_b², which is q³ for small q.
        expect(Math.abs(chi(activation, offered, offered.q) - 1)).toBeLessThan(1e-9);
        expect(Math.abs(nextVariance(activation, offered, offered.q) / offered.q - 1)).toBeLessThan(1e-9);
        if (offered.status === "stable") expect(offered.vPrime).toBeLessThan(1);
        else expect(Math.abs(offered.vPrime - 1)).toBeLessThan(1e-9);
      }
    }
  });

  it("status is what iteration shows: a 2 % start error fades at a stable point and grows at an unstable one", () => {
    for (const sigmaB of biases) {
      const { point } = edgeOfChaos(activation, sigmaB, curve);
      if (point?.q == null || point.q === 0 || Math.abs(point.vPrime - 1) < 0.003) continue;
      for (const factor of [0.98, 1.02]) {
        const error = (q: number): number => Math.abs(q / point.q! - 1);
        let q = factor * point.q;
        for (let l = 0; l < 1000 && error(q) > 0.01 && error(q) < 0.04; l++) q = nextVariance(activation, point, q);
        if (point.status === "stable") expect(error(q)).toBeLessThanOrEqual(0.01);
        else expect(error(q)).toBeGreaterThanOrEqual(0.04);
      }
    }
  });

  it("a basin holds its point and ends at the unstable fixed points around it", () => {
    const { basin, point } = edgeOfChaos(activation, 0.5, curve);
    if (basin === null) return;
    const unstable = varianceFlow(activation, point!).fixed.filter(({ stability }) => stability === "unstable");
    expect(unstable.every(({ q }) => q <= basin.from || (basin.to !== null && q >= basin.to))).toBe(true);
    expect(basin.from).toBeLessThan(point!.q!);
  });

  it("the parts of the curve are what their points say, without a gap", () => {
    const { parts, origin } = curve;
    if (activation.homogeneous || activation.jumps) {
      expect(parts).toEqual([]);
      return;
    }
    expect([parts[0]!.from, parts.at(-1)!.to]).toEqual([1e-8, 1e6]);
    parts.forEach((part, i) => {
      if (i > 0) expect(part.from / parts[i - 1]!.to - 1).toBeLessThan(1e-15);
      for (const point of part.points) {
        expect(point.status === "unstable").toBe(part.kind === "unstable");
        expect(Object.values(point).every((value) => typeof value === "string" || Number.isFinite(value))).toBe(true);
      }
      if (part.kind === "missing") expect(part.points).toEqual([]);
    });
    if (origin !== null) {
      // The curve starts at its origin; kinks at 0 leave corrections of order √q.
      const first = parts[0]!.points[0]!;
      expect(Math.abs(first.sigmaW / origin.sigmaW - 1)).toBeLessThan(1e-3);
    }
  });

  it("never speaks of NaN or Infinity, and always has something to say", () => {
    for (const sigmaB of biases) {
      const edge = edgeOfChaos(activation, sigmaB, curve);
      expect(edge.explanation.length).toBeGreaterThan(20);
      expect(JSON.stringify(edge) + edge.explanation).not.toMatch(/NaN|Infinity/);
    }
  });
});

describe("figures", () => {
  it.each([
    ["tanh", 0.2, 1.304146, 0.512079],
    ["tanh", 0.3, 1.395584, 0.763475],
    ["elu", 0.2, 1.229251, 1.106931],
  ])("%s at σ_b %s: σ_w %s, q %s", (name, sigmaB, sigmaW, q) => {
    const { status, point, unique } = edgeOfChaos(activationNamed(name), sigmaB);
    expect({ status, unique }).toEqual({ status: "stable", unique: true });
    expect(point!.sigmaW).toBeCloseTo(sigmaW, 6);
    expect(point!.q).toBeCloseTo(q, 6);
  });

  it("the input scale for tanh at σ_b 0.2 is 0.2776", () => {
    expect(edgeOfChaos(activationNamed("tanh"), 0.2).inputScale).toBeCloseTo(0.2776, 4);
  });

  it.each([
    ["relu", {}, Math.SQRT2],
    ["leaky-relu", { alpha: 0.2 }, Math.sqrt(2 / 1.04)],
    ["identity", {}, 1],
  ])("%s %j is scale-free: σ_w %s without biases, nothing with them", (name, parameters, sigmaW) => {
    const activation = activationNamed(name, parameters);
    const { status, point } = edgeOfChaos(activation, 0);
    expect(status).toBe("marginal");
    expect(point!.sigmaW).toBeCloseTo(sigmaW, 14);
    expect(edgeOfChaos(activation, 0.2)).toMatchObject({ status: "none", nearest: { sigmaB: 0 } });
  });

  it.each([
    ["gelu", 0.416],
    ["silu", 0.745],
    ["hard-swish", 0.712],
    ["mish", 0.307],
  ])("%s is unstable below σ_b %s and stable above", (name, border) => {
    const activation = activationNamed(name);
    const curve = edgeCurve(activation);
    for (const sigmaB of [0, 0.1, 0.2, border - 0.005]) {
      const { status, nearest, point } = edgeOfChaos(activation, sigmaB, curve);
      expect(status).toBe("unstable");
      // DESIGN.md rounds to three digits.
      expect(Math.abs(nearest!.sigmaB - border)).toBeLessThan(5e-4);
      if (sigmaB > 0) expect(point!.vPrime).toBeGreaterThan(1);
    }
    for (const sigmaB of [border + 0.005, 1, 3]) expect(edgeOfChaos(activation, sigmaB, curve).status).toBe("stable");
  });

  it.each(["tanh", "erf", "elu", "selu", "softsign"])("%s has one stable point for every σ_b", (name) => {
    const curve = edgeCurve(activationNamed(name));
    expect(curve.parts.map(({ kind }) => kind)).toEqual(["stable"]);
    for (const sigmaB of [0.001, 0.1, 0.5, 2])
      expect(edgeOfChaos(activationNamed(name), sigmaB, curve)).toMatchObject({ status: "stable", unique: true });
  });

  it("sigmoid: only q ≥ 45.6 and σ_w ≥ 10.1", () => {
    const { parts, origin } = edgeCurve(activationNamed("sigmoid"));
    expect(origin).toBeNull();
    expect(parts.map(({ kind }) => kind)).toEqual(["missing", "stable"]);
    expect(parts[1]!.from).toBeCloseTo(45.6, 1);
    expect(parts[1]!.points[0]!.sigmaW).toBeGreaterThan(10.1);
    expect(edgeOfChaos(activationNamed("sigmoid"), 0.2).point!.q).toBeGreaterThan(45.6);
  });

  it("softplus has none, and an activation that jumps has none", () => {
    for (const name of ["softplus", "thresholded-relu"])
      for (const sigmaB of [0, 0.2, 2])
        expect(edgeOfChaos(activationNamed(name), sigmaB)).toMatchObject({
          status: "none",
          point: null,
          nearest: null,
        });
  });

  it("the authors' tanh point 1.2981 is off: χ = 0.997", () => {
    expect(phaseOf(activationNamed("tanh"), { sigmaW: 1.2981, sigmaB: 0.2 })).toMatchObject({ phase: "ordered" });
    expect(phaseOf(activationNamed("tanh"), { sigmaW: 1.2981, sigmaB: 0.2 }).chi).toBeCloseTo(0.997, 3);
  });
});

describe("phases", () => {
  it.each(["tanh", "erf", "elu", "selu", "softsign", "relu", "hard-tanh", "gelu", "sigmoid"])(
    "%s: χ rises with σ_w, at a given q",
    (name) => {
      const activation = activationNamed(name);
      const values = [0.5, 1, 2, 4].map((sigmaW) => chi(activation, { sigmaW, sigmaB: 0 }, 1));
      values.forEach((value, i) => {
        if (i > 0) expect(value).toBeGreaterThan(values[i - 1]!);
      });
    },
  );

  it.each(["tanh", "erf", "elu", "selu", "softsign"])(
    "%s: χ at q* rises with σ_w, the phases follow, and the depth scale peaks at the edge",
    (name) => {
      const activation = activationNamed(name);
      const edge = edgeOfChaos(activation, 0.2).point!;
      const phases = [0.5, 0.8, 0.95, 0.99, 1, 1.01, 1.05, 1.2].map((factor) =>
        phaseOf(activation, { sigmaW: factor * edge.sigmaW, sigmaB: 0.2 }),
      );
      phases.forEach((phase, i) => {
        if (i > 0) expect(phase.chi).toBeGreaterThan(phases[i - 1]!.chi);
      });
      const { length } = phases;
      expect(phases.map(({ phase }) => phase)).toEqual([
        ...Array<string>(4).fill("ordered"),
        "edge",
        ...Array<string>(length - 5).fill("chaotic"),
      ]);
      const depths = phases.map(({ gradientDepth }) => gradientDepth ?? Infinity);
      depths.forEach((depth, i) => {
        if (i > 0 && i <= 4) expect(depth).toBeGreaterThan(depths[i - 1]!);
        if (i > 4) expect(depth).toBeLessThan(depths[i - 1]!);
      });
    },
  );

  it("a homogeneous φ has its phase from σ_w alone", () => {
    const relu = activationNamed("relu");
    expect([1, Math.SQRT2, 2].map((sigmaW) => phaseOf(relu, { sigmaW, sigmaB: 0 }).phase)).toEqual([
      "ordered",
      "edge",
      "chaotic",
    ]);
    expect(phaseOf(relu, { sigmaW: 2, sigmaB: 0.1 })).toMatchObject({ q: null, chi: 2, vPrime: null });
    expect(phaseOf(relu, { sigmaW: Math.SQRT2, sigmaB: 0 }, 3)).toMatchObject({ q: 3, gradientDepth: null });
  });

  it("without biases a small σ_w ends at q = 0, where χ is σ_w²φ'(0)²", () => {
    expect(phaseOf(activationNamed("tanh"), { sigmaW: 0.5, sigmaB: 0 })).toMatchObject({ q: 0, chi: 0.25 });
  });

  it("where the variance settles may depend on the start", () => {
    const gelu = activationNamed("gelu");
    const scale = { sigmaW: 1.547, sigmaB: 0.2 };
    expect(phaseOf(gelu, scale, 0.5)).toMatchObject({ phase: "ordered" });
    expect(phaseOf(gelu, scale, 1)).toMatchObject({ phase: "chaotic", q: null });
  });

  it.each(named(everyActivation))("%s has a phase in words everywhere, never NaN", (_, activation) => {
    for (const sigmaW of [0.01, 1, 3, 100])
      for (const sigmaB of [0, 0.2, 10]) {
        const phase = phaseOf(activation, { sigmaW, sigmaB });
        expect(JSON.stringify(phase)).not.toMatch(/NaN|Infinity/);
        expect(Number.isFinite(phase.chi)).toBe(true);
      }
  });

  it("depth scales: symmetric about 1, unbounded there", () => {
    expect(depthScale(1)).toBeNull();
    expect(depthScale(0)).toBe(0);
    expect(depthScale(Math.E)).toBeCloseTo(1, 15);
    expect(depthScale(1 / 2)).toBeCloseTo(depthScale(2)!, 14);
  });
});

it("moments at the offered point give σ_w", () => {
  const { point } = edgeOfChaos(activationNamed("tanh"), 0.2);
  expect(point!.sigmaW).toBe(Math.sqrt(1 / moments(activationNamed("tanh"), point!.q!).slope));
});
