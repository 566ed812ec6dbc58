/** Networks drawn at random, for laws that hold of every network. */
import { uniform } from "../arrays.js";
import { finished } from "./channel-networks.js";
import type { Network } from "./network.js";
import { image, NetworkWriter, type Signal } from "./network-writer.js";

/** A network put together at random: up to a dozen operators on signals of 8 or 16 channels, each reading earlier ones. */
export function randomNetwork(seed: number): Network["bytes"] {
  const w = new NetworkWriter(seed);
  const random = uniform(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const signals = [w.relu(w.conv(image(6), 8, { bias: true })), w.conv(image(6), 16)];
  const any = (): Signal => pick(signals);
  const like = ({ channels }: Signal): Signal => pick(signals.filter((one) => one.channels === channels));
  const vector = (x: Signal, shape: readonly number[]): string =>
    w.parameter(w.fresh("c"), [x.channels, ...shape], 0.5, 1);
  const steps: readonly (() => Signal)[] = [
    () => w.relu(w.conv(any(), pick([8, 16]), { kernel: pick([1, 3]), bias: random() < 0.5 })),
    () => w.batchNorm(any()),
    () => {
      const x = any();
      return w.conv(x, x.channels, { group: x.channels });
    },
    () => w.conv(any(), pick([8, 16]), { group: pick([2, 4]), kernel: 1 }),
    () => {
      const x = any();
      return w.add(x, like(x));
    },
    () => {
      const x = any();
      return { ...x, name: w.op("Mul", [x.name, w.op("Sigmoid", [like(x).name])]) };
    },
    () => w.conv(w.concat([any(), any()]), pick([8, 16]), { kernel: 1 }),
    () => {
      const [a, b] = [any(), any()];
      return a.channels === 8 && b.channels === 8 ? w.concat([a, b]) : w.relu(a);
    },
    () => w.pool(any(), pick(["AveragePool", "MaxPool"]), { kernel: 3, stride: 1, pad: 1 }),
    () => {
      const x = any();
      return w.map(x, "PRelu", { inputs: [vector(x, [1, 1])] });
    },
    () => {
      const x = any();
      return w.map(x, "Sub", { inputs: [w.op("ReduceMean", [x.name, w.ints([1])], { keepdims: 1 })] });
    },
    () => {
      const x = any();
      const last = w.op("Transpose", [x.name], { perm: [0, 2, 3, 1] });
      const scaled = w.op("Mul", [last, vector(x, [])]);
      return { ...x, name: w.op("Transpose", [scaled], { perm: [0, 3, 1, 2] }) };
    },
    () => {
      const x = any();
      const halves = w.split("Split", [x.name], 2, { axis: 1, num_outputs: 2 });
      return { ...x, name: w.op("Concat", [halves[1]!, halves[0]!], { axis: 1 }) };
    },
  ];
  for (let step = 0; step < 12; step++) {
    const made = pick(steps)();
    // Signals stay of order 1, whatever they are made of.
    signals.push(random() < 0.3 ? w.batchNorm(made) : made);
  }
  const last = signals.slice(-3).map((signal) => ({ ...signal, name: w.op("Tanh", [signal.name]) }));
  const joined = w.concat(last);
  const flat = { ...joined, name: w.op("Flatten", [joined.name]), channels: joined.channels * 36, size: 1 };
  return finished(w, w.linear(flat, 5), [3, 6, 6]);
}
