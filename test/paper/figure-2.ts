/**
 * Figure 2 of Hayou et al. 2021: share of weights that SBP keeps in each layer of a ResNet-32, standard and Stable
 * (branches divided by √L). As at initialisation, BatchNormalization uses the statistics of the batch; with stored ones
 * the effect is another, and is drawn beside it.
 */
import * as Plot from "@observablehq/plot";
import { resnet } from "../support/networks/index.js";
import { caption, drawn, type PaperFigure, sideBySide } from "./figure.js";
import { scoredNetwork } from "./scored-network.js";

const sparsity = 0.9;
const modes = ["batch", "stored"] as const;
const [panelWidth, height] = [460, 320];

interface Kept {
  readonly network: string;
  readonly batchNorm: string;
  readonly criticalSparsity: number;
  readonly densities: readonly number[];
}

export async function figure2(): Promise<PaperFigure> {
  const found: Kept[] = [];
  for (const batchNorm of modes) {
    for (const stable of [false, true]) {
      const network = resnet({ depth: 32, width: 16, batch: 64, stable, seed: 1 });
      const { layers, criticalSparsity } = await scoredNetwork(network, { sparsity, batchNorm, batch: 64 });
      const name = stable ? "Stable ResNet-32" : "ResNet-32";
      found.push({ network: name, batchNorm, criticalSparsity, densities: layers.map(({ density }) => density) });
    }
  }
  const panels = modes.map((mode) => {
    const lines = found.filter(({ batchNorm }) => batchNorm === mode);
    const points = lines.flatMap(({ network, densities }) =>
      densities.map((density, layer) => ({ network, layer: layer + 1, density })),
    );
    const critical = lines.map(({ criticalSparsity }) => criticalSparsity.toFixed(3)).join(" and ");
    return drawn({
      width: panelWidth,
      height,
      marginTop: 40,
      x: { label: "layer" },
      y: { label: "share kept", type: "log", domain: [0.002, 1], ticks: [0.01, 0.1, 1], tickFormat: ".0%", grid: true },
      color: { domain: ["ResNet-32", "Stable ResNet-32"], range: ["#c0392b", "#1f5fa8"] },
      marks: [
        Plot.lineY(points, { x: "layer", y: "density", stroke: "network" }),
        Plot.dot(points, { x: "layer", y: "density", fill: "network", r: 2 }),
        Plot.text(["red: ResNet-32, blue: Stable ResNet-32"], { frameAnchor: "bottom-left", dx: 8, dy: -8 }),
        caption(`${mode} statistics, s_cr ${critical}`),
      ],
    });
  });
  return {
    name: "figure-2",
    svg: sideBySide(panels, panelWidth, height),
    data: found,
    words:
      "Share of weights kept per layer, ResNet-32 of width 16 at 90 % sparsity by SBP, standard and Stable. The paper uses " +
      "CIFAR-10; here inputs are standard normal and labels random, 64 samples.",
  };
}
