/** Layers that mask steps. What stands behind them in TensorFlow.js leaves those steps out; the lowered graph does not. */
import type { LayerCall } from "./rule.js";

/** Notes that a layer masks steps. */
export function masks({ lowering, className }: LayerCall): void {
  lowering.notes.push(
    `"${lowering.scope}" (${className}) masks steps, of which recurrent and Softmax layers behind it take no notice in the lowered graph: results are exact where no step is masked.`,
  );
}
