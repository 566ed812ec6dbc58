/**
 * Insights that belong to a fake model: a network that drifts from the ordered phase through the edge into chaos, with
 * every kind of limit, path and remedy in it. Numbers are made up, but hang together as real ones do.
 */
import type {
  CollapseReport,
  EdgeView,
  LayerTheory,
  MeasureReport,
  PropagationLayer,
  RemediesReport,
  TheoryReport,
} from "../../server/protocol/insights.js";
import type { Insights } from "../../server/protocol/view.js";
import type { FakeModel } from "./fake-model.js";

/** Everything at once, for the fake model at its own sparsity. */
export function fakeInsights(fake: FakeModel): Insights {
  return {
    theory: fakeTheory(fake),
    collapse: fakeCollapse(fake),
    measured: fakeMeasure(fake),
    remedies: fakeRemedies(fake),
    parity: null,
  };
}

/** Tanh's edge of chaos, and GELU's with its unstable part: some points of each. */
const edges: readonly EdgeView[] = [
  {
    activation: "tanh",
    parts: [
      {
        kind: "stable",
        points: [
          [0, 1],
          [0.01, 1.04],
          [0.05, 1.12],
          [0.1, 1.19],
          [0.2, 1.304],
          [0.3, 1.396],
          [0.5, 1.56],
          [0.8, 1.79],
          [1.2, 2.06],
          [2, 2.55],
          [4, 3.6],
        ].map(([sigmaB, sigmaW]) => ({ sigmaB: sigmaB!, sigmaW: sigmaW!, q: 0.5 })),
      },
    ],
    status: "stable",
    explanation: "At σ_b 0.2 σ_w 1.304 keeps the variance 0.512 and the size of gradients.",
  },
  {
    activation: "gelu",
    parts: [
      { kind: "missing", points: [] },
      { kind: "unstable", points: [0, 0.1, 0.2, 0.3, 0.41].map((b) => ({ sigmaB: b, sigmaW: 1.9 + b * 0.3, q: 0.2 })) },
      { kind: "stable", points: [0.42, 0.6, 1, 2].map((b) => ({ sigmaB: b, sigmaW: 2.03 - b * 0.1, q: 3 })) },
    ],
    status: "unstable",
    explanation:
      "The edge at σ_b 0.2 is unstable: a start 2 % too high runs away. The nearest stable point has σ_b 0.416.",
  },
];

export function fakeTheory(fake: FakeModel): TheoryReport {
  const count = fake.model.layers.length;
  const layers = fake.model.layers.map(({ id }, l): LayerTheory => {
    const last = l === count - 1;
    const odd = l % 9 === 5;
    const sigmaW = 1.304 + 0.9 * ((l + 0.5) / count - 0.5) + 0.06 * Math.sin(l);
    const chi = (sigmaW / 1.304) ** 2;
    const suggested = {
      sigmaW: last ? 1 : 1.304146,
      sigmaB: last ? 0 : 0.2,
      deviation: 0.0543,
      status: "stable",
      q: 0.512,
    } as const;
    return {
      id,
      fanIn: 576,
      sigmaW: odd ? null : sigmaW,
      sigmaB: odd ? null : 0.05 + (0.3 * ((l * 7) % 10)) / 10,
      bias: `bias.${l}`,
      meanShare: 0.001,
      activation: odd ? null : l % 6 === 4 ? "gelu" : "tanh",
      limits: odd
        ? [{ kind: "normalised", words: "A normalisation follows, which takes the scale of the weights out." }]
        : last
          ? [{ kind: "last", words: "The last layer: σ_w 1 and no bias." }]
          : [],
      phase: odd
        ? null
        : {
            phase: Math.abs(chi - 1) < 0.04 ? "edge" : chi < 1 ? "ordered" : "chaotic",
            q: 0.5,
            chi,
            vPrime: 0.6,
            gradientDepth: 1 / Math.abs(Math.log(chi)),
            explanation: "Gradients change by that factor in every layer.",
          },
      suggestion: odd ? null : suggested,
      origin: { verdict: "fresh", votes: [] },
    };
  });
  return {
    origin: {
      verdict: "fresh",
      votes: [
        { test: "biases", verdict: "fresh", words: "All biases are 0 or uniform in 1/√fan_in." },
        {
          test: "distribution",
          verdict: "fresh",
          words: "58 of 60 weights pass a Kolmogorov-Smirnov test against a normal distribution.",
        },
        {
          test: "spectrum",
          verdict: "unclear",
          words: "The largest singular values lie at the end of the Marchenko-Pastur law in 31 of 60 layers.",
        },
      ],
    },
    advice: "The weights are fresh: what is suggested can be drawn in this very model.",
    sigmaB: 0.2,
    layers,
    edges,
    residual: {
      additions: 8,
      blocks: Array.from({ length: 8 }, (_, b) => ({
        node: `/stage${b}/Add`,
        kind: b % 3 === 2 ? ("projection" as const) : ("identity" as const),
        activationAfter: b % 2 === 0,
        branch: fake.model.layers.slice(b, b + 2).map(({ id }) => id),
        shortcut: [],
      })),
      rejected: [{ node: "/head/Add", reason: "adds two branches, neither of which is a shortcut." }],
      words: "8 residual additions (L = 8): Stable ResNet divides each branch by √8 = 2.83.",
    },
    code: {
      pytorch:
        "import torch.nn as nn\n\ndef init(module):\n    if isinstance(module, (nn.Linear, nn.Conv2d)):\n        fan_in = module.weight[0].numel()\n        nn.init.normal_(module.weight, std=1.304146 / fan_in**0.5)\n        nn.init.normal_(module.bias, std=0.2)\n",
      keras: "keras.initializers.VarianceScaling(scale=1.7008, mode='fan_in', distribution='untruncated_normal')\n",
      tfjs: "tf.initializers.varianceScaling({scale: 1.7008, mode: 'fanIn', distribution: 'normal'});\n",
      jax: "jax.nn.initializers.variance_scaling(1.7008, 'fan_in', 'normal')\n",
    },
    inputScale: 0.2776,
    notes: ["Convolutions are taken to have no borders."],
  };
}

export function fakeCollapse(fake: FakeModel): CollapseReport {
  const { report, resultId } = fake.result;
  const { kept } = fake.exact(report.sparsity, report.scope);
  const effective = fake.model.layers.map(({ id }, l) => ({
    id,
    effective: l % 13 === 12 ? null : l % 10 === 2 ? 0 : Math.round(kept[l]! * (l % 4 === 1 ? 0.7 : 0.98)),
  }));
  const order = report.layers
    .flatMap(({ id, criticalSparsity }) => (criticalSparsity === null ? [] : [{ id, sparsity: criticalSparsity }]))
    .sort((a, b) => a.sparsity - b.sparsity);
  const total = effective.reduce((sum, layer) => sum + (layer.effective ?? 0), 0);
  return {
    resultId,
    sparsity: report.sparsity,
    order,
    criticalSparsity: report.criticalSparsity,
    maxSparsity: report.maxSparsity,
    noSignal: report.layers.filter(({ risk }) => risk === "no-signal").map(({ id }) => id),
    risks: report.layers.map(({ risk, excluded }, l) =>
      effective[l]!.effective === 0 && risk !== "collapsed" && risk !== "no-signal" && !excluded ? "high" : risk,
    ),
    effective: {
      layers: effective,
      kept: total,
      prunable: fake.model.prunable,
      sparsity: 1 - total / fake.model.prunable,
      connected: true,
      cutSparsity: 0.9873,
      branches: Array.from({ length: 8 }, (_, b) => ({
        node: `/stage${b}/Add`,
        dead: b === 3,
        cutSparsity: b === 3 ? 0.8841 : 0.99,
      })),
      notes: ["Paths are followed through 56 of 60 layers; recurrent ones are taken to pass everything on."],
    },
  };
}

export function fakeMeasure(fake: FakeModel, stability = true): MeasureReport {
  const { layers } = fake.model;
  const rate = 6 / layers.length;
  const m = (l: number): number => 1e-9 * Math.exp(rate * l + 0.5 * Math.sin(l * 1.3));
  return {
    loss: 2.3026,
    batchNorm: "stored",
    conditioning: {
      layers: layers.map(({ id, parameters }, l) => ({
        id,
        weights: parameters,
        m: l === 7 ? 0 : m(l),
        total: l === 7 ? 0 : parameters * m(l),
      })),
      rate: { rate, low: rate * 0.9, high: rate * 1.1, layers: layers.length - 1 },
      totalRate: { rate, low: rate * 0.8, high: rate * 1.2, layers: layers.length - 1 },
      ratio: 512,
      totalRatio: 2014,
      verdict:
        "Not well-conditioned over this depth: m grows towards the output by a factor of 1.1 a layer (95 %: 1.09 to 1.12), 403 times from end to end. A global threshold empties layers near the input first.",
    },
    propagation: {
      layers: layers.map(({ id }, l): PropagationLayer => {
        const q = 0.512 * (1 + 0.5 * Math.sin(l / 6)) * (1 + 0.04 * Math.sin(l * 5));
        const gain = 1 + 0.25 * Math.cos(l / 5);
        return {
          id,
          input: 0.28,
          q,
          c: 1 - 0.7 * Math.exp(-l / 12),
          forwardGain: l === 0 ? null : gain,
          gradient: 1e-3,
          backwardGain: l === 0 ? null : gain * (1 + 0.1 * Math.sin(l * 3)),
          predicted: l % 9 === 5 ? null : { q: q * 0.97, c: 1 - 0.68 * Math.exp(-l / 12), chi: gain },
        };
      }),
      notes: ["Layers behind a shortcut are compared with what the theory says of a plain network."],
    },
    stability: stability
      ? {
          sparsity: 0.9,
          runs: 3,
          mean: 0.574,
          least: 0.551,
          most: 0.59,
          varied: "batches",
          words: "Masks of 3 batches have 57 % of their weights in common: take more samples.",
        }
      : null,
    notes: ["A statement about the architecture, not about your task: the inputs are synthetic."],
  };
}

export function fakeRemedies(fake: FakeModel): RemediesReport {
  const { recipe } = fake;
  return {
    sparsity: recipe.sparsity,
    criticalSparsity: 0.936,
    collapsed: 2,
    budget: 60,
    seconds: 41.3,
    remedies: [
      {
        kind: "quota",
        title: "ERK densities",
        recipe: { ...recipe, quota: "erk" },
        criticalSparsity: 0.9991,
        collapsed: 0,
        seconds: 0.4,
        words: "Densities by the layers' shapes; scores decide only inside a layer.",
      },
      {
        kind: "schedule",
        title: "16 rounds",
        recipe: { ...recipe, rounds: 16 },
        criticalSparsity: 0.982,
        collapsed: 0,
        seconds: 18,
        words: "Scored again after every round.",
      },
      {
        kind: "stable-resnet",
        title: "Stable ResNet",
        recipe: { ...recipe, stableResnet: "mul" },
        criticalSparsity: 0.977,
        collapsed: 0,
        seconds: 6,
        words: "Adds Mul nodes: for a model that is going to be trained.",
      },
      {
        kind: "floor",
        title: "Keep 0.1 % of every layer",
        recipe: { ...recipe, floors: Object.fromEntries(fake.model.layers.map(({ id }) => [id, 0.001])) },
        criticalSparsity: null,
        collapsed: 0,
        seconds: 0.1,
        words: "Nothing is ranked beyond the floor.",
      },
    ],
    skipped: [{ kind: "criterion", title: "SynFlow", reason: "would take 94 s; 19 s were left." }],
  };
}
