/** How many inputs a sum of a weighted layer has, by which σ_w² is a multiple of the weights' variance. */

/** A weighted layer as far as its fan-in goes. */
export type LayerForm =
  /** Gemm, or MatMul with a constant. */
  | { readonly form: "dense"; readonly inputs: number }
  /** `channels` are all input channels; a depthwise convolution has `group` = `channels`. */
  | { readonly form: "conv"; readonly channels: number; readonly group: number; readonly kernel: readonly number[] }
  | {
      readonly form: "conv-transpose";
      readonly channels: number;
      readonly group: number;
      readonly kernel: readonly number[];
      readonly strides: readonly number[];
    }
  /** LSTM, GRU or RNN: input weights W and hidden weights R are two paths. */
  | { readonly form: "recurrent"; readonly inputs: number; readonly hidden: number };

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/**
 * Fan-in of every weight tensor of a layer, away from borders. A transposed convolution's is an average over output
 * positions: a stride of s leaves one of s taps on a place.
 */
export function fanIns(layer: LayerForm): readonly { readonly weight: "W" | "R"; readonly fanIn: number }[] {
  switch (layer.form) {
    case "dense":
      return [{ weight: "W", fanIn: layer.inputs }];
    case "conv":
      return [{ weight: "W", fanIn: (layer.channels / layer.group) * product(layer.kernel) }];
    case "conv-transpose":
      return [
        { weight: "W", fanIn: (layer.channels * product(layer.kernel)) / (layer.group * product(layer.strides)) },
      ];
    case "recurrent":
      return [
        { weight: "W", fanIn: layer.inputs },
        { weight: "R", fanIn: layer.hidden },
      ];
  }
}
