/**
 * The sparsity at which the first layer is gone, over depth, in the ordered phase, on the edge of chaos and in the
 * chaotic phase, for tanh and for ReLU, and the bound of the collapse theorem (Hayou et al. 2021, Theorem 1) on a depth
 * axis of its own, where it is below 1. The paper states the theorem; its experiments on MNIST and CIFAR are not repeated.
 */
import * as Plot from "@observablehq/plot";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { collapseBound, remainderTerm } from "../../server/src/meanfield/collapse-bound.js";
import { phaseOf } from "../../server/src/meanfield/phase.js";
import { ffnn } from "../support/networks/index.js";
import { caption, drawn, type PaperFigure, sideBySide } from "./figure.js";
import { scoredNetwork } from "./scored-network.js";

const depths = [10, 20, 40, 70, 100, 150, 200];
const seeds = [1, 2, 3];
const width = 100;
const cases = [
  { activation: "Tanh", phase: "ordered", sigmaW: 0.9, sigmaB: 0.2 },
  { activation: "Tanh", phase: "edge of chaos", sigmaW: 1.304146, sigmaB: 0.2 },
  { activation: "Tanh", phase: "chaotic", sigmaW: 2, sigmaB: 0.2 },
  { activation: "Relu", phase: "ordered", sigmaW: 1, sigmaB: 0 },
  { activation: "Relu", phase: "edge of chaos", sigmaW: Math.SQRT2, sigmaB: 0 },
  { activation: "Relu", phase: "chaotic", sigmaW: 2, sigmaB: 0 },
] as const;
const colours = { domain: ["ordered", "edge of chaos", "chaotic"], range: ["#1f5fa8", "#2e8b57", "#c0392b"] };
const [panelWidth, height] = [400, 320];

interface Point {
  readonly activation: string;
  readonly phase: string;
  readonly depth: number;
  /** Null where a layer has no signal at all, so that nothing can be ranked, or the loss overflows. */
  readonly criticalSparsity: number | null;
  readonly problem: string | null;
}

export async function criticalSparsity(report: (line: string) => void): Promise<PaperFigure> {
  const points: Point[] = [];
  for (const { activation, phase, sigmaW, sigmaB } of cases) {
    for (const depth of depths) {
      for (const seed of seeds) {
        const network = ffnn({ activation, sigmaW, sigmaB, depth, width, batch: 50, seed });
        const known = await scoredNetwork(network, { batch: 50 }).then(
          (found) => ({ criticalSparsity: found.criticalSparsity, problem: null }),
          (error: unknown) => ({ criticalSparsity: null, problem: (error as Error).message }),
        );
        points.push({ activation, phase, depth, ...known });
      }
    }
    report(`s_cr of ${activation}, ${phase}`);
  }
  const bounds = cases.map(({ activation, phase, sigmaW, sigmaB }) => {
    const { chi } = phaseOf(activationNamed(activation), { sigmaW, sigmaB });
    const curve = Array.from({ length: 1000 }, (_, i) => ({ depth: i + 1, ...collapseBound(chi, i + 1, width) }));
    return {
      activation,
      phase,
      chi,
      curve: curve
        .filter(({ informative }) => informative)
        .map(({ depth, bound, remainder }) => ({ depth, bound, remainder })),
    };
  });
  const measured = ["Tanh", "Relu"].map((activation) => {
    const own = points.filter((point) => point.activation === activation && point.criticalSparsity !== null);
    return drawn({
      width: panelWidth,
      height,
      marginTop: 40,
      x: { label: "depth" },
      y: { label: "s_cr", domain: [0, 1], grid: true },
      color: colours,
      marks: [
        Plot.lineY(own, Plot.groupX({ y: "mean" }, { x: "depth", y: "criticalSparsity", stroke: "phase" })),
        Plot.dot(own, { x: "depth", y: "criticalSparsity", fill: "phase", r: 2 }),
        caption(`${activation.toLowerCase()}, measured (width ${width}, ${seeds.length} seeds)`),
      ],
    });
  });
  const bound = drawn({
    width: panelWidth,
    height,
    marginTop: 40,
    x: { label: "depth", domain: [0, 1000] },
    y: { label: "bound on E[s_cr]", domain: [0, 1], grid: true },
    color: colours,
    marks: [
      bounds.map(({ activation, phase, curve }) =>
        Plot.lineY(curve, {
          x: "depth",
          y: "bound",
          stroke: colours.range[colours.domain.indexOf(phase)]!,
          strokeDasharray: activation === "Relu" ? "4 3" : "none",
        }),
      ),
      caption(`theorem, up to ${remainderTerm} (dashed: relu)`),
    ].flat(),
  });
  return {
    name: "critical-sparsity",
    svg: sideBySide([...measured, bound], panelWidth, height),
    data: { width, points, bounds },
    words:
      "Critical sparsity over depth: blue ordered, green edge of chaos, red chaotic. With ReLU and no biases σ_w makes no " +
      "trend. The bound says nothing on the edge and is drawn where it is below 1; for ReLU both phases have the same, and do not obey it: φ is homogeneous. Inputs are standard normal, labels random.",
  };
}
