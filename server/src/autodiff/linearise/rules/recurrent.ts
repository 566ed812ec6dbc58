/**
 * LSTM, GRU and RNN: one linear step of the candidate. The state of a step is |W|x plus |R| times the state that the step
 * before has from its own input alone (the initial state, where the data gives one, before the first step). Gates are
 * open, and what the weights of gates give has no place in it.
 */
import type { Value } from "../../../graph/builder.js";
import { type LinearRule, type LinearSite, NoLinearForm, type Signal } from "../rule.js";

/** Blocks of rows in W and R, and which of them is the candidate's. */
interface Cell {
  readonly op: string;
  readonly blocks: number;
  readonly candidate: number;
}

const cells: readonly Cell[] = [
  { op: "GRU", blocks: 3, candidate: 2 },
  { op: "LSTM", blocks: 4, candidate: 3 },
  { op: "RNN", blocks: 1, candidate: 0 },
];

function images(site: LinearSite, { blocks, candidate }: Cell): readonly Signal[] {
  const { b, exponents } = site;
  if (site.int("layout", 0) !== 0) throw new NoLinearForm("its batch axis comes first (layout 1)");
  const [steps, batch] = site.shape(0) as [number, number, number];
  const [directions, rows, size] = site.shape(1) as [number, number, number];
  const hidden = rows / blocks;
  const initial = site.image(5);
  const given = initial?.kind === "signal" ? exponents.normalised(initial) : null;
  const x = exponents.normalised(site.signal(0));
  const { values, exponent } =
    given === null ? { values: [x.value], exponent: x.exponent } : exponents.aligned([x, given]);

  /** The candidate's rows of W or R in one direction: [hidden, columns]. */
  const block = (i: number, direction: number, columns: number): Value => {
    const whole = site.magnitude(i);
    const from = candidate * hidden;
    const part = b.slice(whole, [0, 1], [direction, from], [direction + 1, from + hidden]);
    return b.reshape(blocks === 1 && directions === 1 ? whole : part, [hidden, columns]);
  };

  const ys: Value[] = [];
  const lasts: Value[] = [];
  for (let d = 0; d < directions; d++) {
    const backwards = site.string("direction", "forward") === "reverse" || d === 1;
    const own = b.op("MatMul", [values[0]!, b.transpose(block(1, d, size), [1, 0])]);
    const before = previous(site, own, given === null ? null : values[1]!, { d, steps, batch, hidden, backwards });
    const state =
      before === null ? own : b.add(own, b.op("MatMul", [before, b.transpose(block(2, d, hidden), [1, 0])]));
    ys.push(b.reshape(state, [steps, 1, batch, hidden]));
    const last = backwards ? 0 : steps - 1;
    lasts.push(b.slice(state, [0], [last], [last + 1]));
  }
  const signal = (value: Value): Signal => ({ kind: "signal", value, exponent, loose: 2, bounds: null });
  const final = signal(b.concat(lasts, 0));
  return [signal(b.concat(ys, 1)), final, final];
}

interface Step {
  readonly d: number;
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly backwards: boolean;
}

/** What each step has from the one before: [steps, batch, hidden]; null when there is neither a step nor a state. */
function previous(site: LinearSite, own: Value, initial: Value | null, at: Step): Value | null {
  const { b } = site;
  const { d, steps, batch, hidden, backwards } = at;
  const first = initial === null ? null : b.slice(initial, [0], [d], [d + 1]);
  if (steps === 1) return first;
  const rest = backwards ? b.slice(own, [0], [1], [steps]) : b.slice(own, [0], [0], [steps - 1]);
  const start = first ?? b.zeros([1, batch, hidden]);
  return b.concat(backwards ? [rest, start] : [start, rest], 0);
}

export const recurrences: readonly LinearRule[] = cells.map((cell) => ({
  op: cell.op,
  images: (site) => {
    const why = `the gates of ${site.node.op}, which SynFlow holds open`;
    if (cell.blocks > 1) for (const weight of [1, 2]) site.holdConstant(weight, why);
    return images(site, cell);
  },
}));
