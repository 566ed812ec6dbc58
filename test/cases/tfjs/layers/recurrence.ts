/** Cases of recurrent layers and of wrappers. */
import { input, layers, model, sequential, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { floats } from "../../../support/tfjs/index.js";
import { layerCase, layersCase, type TfjsCase } from "../case.js";

const sequence = floats([2, 4, 3]);
const kinds = { LSTM: layers.lstm, GRU: layers.gru, SimpleRNN: layers.simpleRNN } as const;

const each = Object.entries(kinds).flatMap(([of, make]) => [
  layerCase(of, "the last output", sequence, () => make({ units: 5 })),
  layerCase(of, "all outputs and states", sequence, () =>
    make({ units: 5, returnSequences: true, returnState: true, activation: "softsign" } as never),
  ),
  layerCase(of, "backwards, no bias", sequence, () =>
    make({ units: 5, returnSequences: true, goBackwards: true, useBias: false, activation: "relu" } as never),
  ),
  layersCase(of, "initial states as inputs", states(of), () => {
    const inputs = Object.entries(states(of)).map(([name, { shape }]) => input({ name, shape: shape.slice(1) }));
    return model({ inputs, outputs: make({ units: 5 }).apply(inputs) as SymbolicTensor });
  }),
  ...(["concat", "sum", "mul", "ave", null] as const).map((mergeMode, i) =>
    layerCase("Bidirectional", `${of}, ${mergeMode}`, sequence, () =>
      layers.bidirectional({
        layer: make({ units: 3, returnSequences: i % 2 === 0, returnState: i === 3 }),
        mergeMode: mergeMode as "sum",
      }),
    ),
  ),
]);

function states(of: string): Record<string, typeof sequence> {
  const known = { x: sequence, h: floats([2, 5], 2) };
  return of === "LSTM" ? { ...known, c: floats([2, 5], 3) } : known;
}

export const recurrence: readonly TfjsCase[] = [
  ...each,
  layerCase("LSTM", "sigmoids that are not hard", sequence, () =>
    layers.lstm({ units: 4, recurrentActivation: "sigmoid", activation: "linear", implementation: 1 }),
  ),
  layerCase("GRU", "sigmoids that are not hard", sequence, () =>
    layers.gru({ units: 4, recurrentActivation: "sigmoid", implementation: 2 }),
  ),
  layersCase("LSTM", "stateful", { x: sequence }, () => {
    const x = input({ name: "x", batchShape: [2, 4, 3] });
    return model({ inputs: x, outputs: layers.lstm({ units: 3, stateful: true }).apply(x) as SymbolicTensor });
  }),
  layersCase("LSTM", "one behind the other", { x: sequence }, () =>
    sequential({
      layers: [
        layers.inputLayer({ inputShape: [4, 3], name: "x" }),
        layers.lstm({ units: 4, returnSequences: true }),
        layers.gru({ units: 3 }),
      ],
    }),
  ),
  layerCase("RNN", "a cell", sequence, () => layers.rnn({ cell: layers.gruCell({ units: 4 }), returnSequences: true })),
  layerCase("RNN", "cells on top of each other", sequence, () =>
    layers.rnn({
      cell: [layers.lstmCell({ units: 4 }), layers.gruCell({ units: 3 }), layers.simpleRNNCell({ units: 2 })],
      returnState: true,
      returnSequences: true,
    }),
  ),
  layerCase("RNN", "cells on top of each other, backwards", sequence, () =>
    layers.rnn({
      cell: [layers.lstmCell({ units: 4 }), layers.lstmCell({ units: 3 })],
      goBackwards: true,
    }),
  ),
  layerCase("TimeDistributed", "Dense", sequence, () =>
    layers.timeDistributed({ layer: layers.dense({ units: 2, activation: "relu" }) }),
  ),
  layerCase("TimeDistributed", "Conv2D", floats([2, 3, 5, 4, 2]), () =>
    layers.timeDistributed({ layer: layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }) }),
  ),
  layersCase("TimeDistributed", "lengths that are not known", { x: floats([2, 3, 5, 4, 2]) }, () => {
    const x = input({ name: "x", shape: [null, null, null, 2] });
    const layer = layers.conv2d({ filters: 3, kernelSize: 2 });
    return model({ inputs: x, outputs: layers.timeDistributed({ layer }).apply(x) as SymbolicTensor });
  }),
];
