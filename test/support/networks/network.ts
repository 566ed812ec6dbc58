/** What a test network is: an ONNX file and one batch to run it on, both the same for the same seed everywhere. */

/** A float32 array for one input. */
export interface Feed {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** An int64 array. */
export interface Integers {
  readonly data: BigInt64Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

export interface Network {
  /** The ONNX file. The batch axis of its input is free. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Classes in [0, classes): one a sample, or one a pixel [batch, height, width]. */
  readonly labels: Integers;
  readonly classes: number;
  /** The output with the logits; classes are its axis 1. */
  readonly output: string;
}

/** What every network of images can be asked for. */
export interface ImageOptions {
  readonly seed?: number;
  readonly batch?: number;
  /** Height and width of the input, in pixels. */
  readonly size?: number;
  readonly classes?: number;
}
