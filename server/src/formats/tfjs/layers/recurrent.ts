/**
 * Recurrent layers of TensorFlow.js: one cell, or several on top of each other. Cells that are stacked are lowered one
 * after the other, each over the whole sequence, which computes the same.
 */
import type { JsonObject } from "../document.js";
import type { Lowered } from "../lowering/lowered.js";
import { type Cell, recur, type RecurrentActivation, recurrentActivation, reversed } from "../lowering/recurrent.js";
import { configOf, type Layer, type LayerCall } from "./rule.js";

/** What such a layer says of itself. */
export interface RecurrentLayer extends Layer {
  readonly cell: Layer & { readonly cells?: readonly Layer[] };
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
}

const cellKinds: Readonly<Record<string, { readonly cell: Cell; readonly states: number }>> = {
  GRUCell: { cell: "GRU", states: 1 },
  LSTMCell: { cell: "LSTM", states: 2 },
  SimpleRNNCell: { cell: "RNN", states: 1 },
};

/** A cell that can be lowered. */
interface KnownCell {
  readonly layer: Layer;
  readonly cell: Cell;
  readonly states: number;
  readonly activations: readonly RecurrentActivation[];
}

/** What comes out of a recurrent layer. */
export interface Outcome {
  /** Its output; a sequence in the order in which it was computed, or the other way round where that is `turned`. */
  readonly output: Lowered;
  readonly states: readonly Lowered[];
}

/**
 * Lowers a recurrent layer on a sequence and, perhaps, initial states.
 * @returns a clause that says why not, where it has a cell that ONNX does not know.
 */
export function runRecurrent(
  call: LayerCall,
  layer: RecurrentLayer,
  [x, ...initial]: readonly Lowered[],
  turned = false,
): Outcome | string {
  const { lowering } = call;
  const cells: KnownCell[] = [];
  for (const cell of layer.cell.cells ?? [layer.cell]) {
    const known = knownCell(cell);
    if (typeof known === "string") return known;
    cells.push(known);
  }
  // States are listed from the top cell to the bottom one.
  const listed = [...initial];
  const own = new Map([...cells].reverse().map((cell) => [cell, listed.splice(0, cell.states)] as const));
  const after: (readonly (() => Lowered)[])[] = [];
  let sequence = (): Lowered => x!;
  for (const cell of cells) {
    const done = recur(lowering, sequence(), {
      cell: cell.cell,
      kernel: call.weight("kernel", cell.layer)!,
      recurrentKernel: call.weight("recurrent_kernel", cell.layer)!,
      bias: call.weight("bias", cell.layer),
      activations: cell.activations,
      initial: own.get(cell)!,
      backwards: layer.goBackwards,
    });
    after.unshift(done.states);
    sequence = done.sequence;
  }
  const steps = (): Lowered => (layer.goBackwards === turned ? sequence() : reversed(lowering, sequence()));
  return {
    output: layer.returnSequences ? steps() : after[0]![0]!(),
    states: layer.returnState ? after.flat().map((state) => state()) : [],
  };
}

/** @returns a clause about what is not known of it. */
function knownCell(layer: Layer): KnownCell | string {
  const name = layer.getClassName();
  const kind = Object.hasOwn(cellKinds, name) ? cellKinds[name]! : undefined;
  if (kind === undefined) return `its cell ${name} is none that ONNX has`;
  const { activation, recurrentActivation: gates } = configOf(layer) as JsonObject & Record<string, string | undefined>;
  const wanted = { GRU: [gates, activation], LSTM: [gates, activation, activation], RNN: [activation] }[kind.cell];
  const activations: RecurrentActivation[] = [];
  for (const one of wanted) {
    const known = recurrentActivation(one ?? "linear");
    if (known === null) return `ONNX' ${kind.cell} has no activation "${one}"`;
    activations.push(known);
  }
  return { layer, ...kind, activations };
}
