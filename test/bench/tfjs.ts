/**
 * Gradients of a real TensorFlow.js model through our engine, against forward passes of the same model: lowered, in ONNX
 * Runtime, and in tfjs. tfjs' own gradients are no measure: its wasm backend has none for convolutions, and its cpu
 * backend takes half a minute for one of a filter.
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { median, type Row } from "./table.js";

const rounds = 3;
const runs = 5;

interface Measured {
  readonly seconds: number;
  readonly build?: number;
}

/** Measures in processes of their own, which take turns. */
export function benchTfjs(): Row[] {
  const threads = String(availableParallelism());
  const script = (what: string): Measured => {
    const args = ["test/support/run-ts.mjs", "test/bench/tfjs-pass.ts", what, threads, String(runs)];
    const printed = execFileSync(process.execPath, args, { encoding: "utf8" });
    return JSON.parse(printed.trim().split("\n").at(-1)!) as Measured;
  };
  const measured = { gradients: [] as Measured[], forward: [] as Measured[], wasm: [] as Measured[] };
  for (let round = 0; round < rounds; round++)
    for (const [what, list] of Object.entries(measured)) list.push(script(what));
  const seconds = (list: readonly Measured[]): number => median(list.map((one) => one.seconds));
  const pass = seconds(measured.gradients);
  const row = (against: string, other: number): Row => ({
    what: "nsfwjs MobileNetV2 (tfjs, uint8), batch 8: gradient pass",
    against,
    ratio: pass / other,
    aim: null,
    detail: `${(1000 * pass).toFixed(0)} ms against ${(1000 * other).toFixed(0)} ms`,
  });
  const build = median(measured.gradients.map((one) => one.build ?? 0));
  return [
    row("forward pass of the lowered graph", seconds(measured.forward)),
    row("forward pass in tfjs on wasm, one thread", seconds(measured.wasm)),
    {
      what: "nsfwjs MobileNetV2: building graph and session",
      against: "one gradient pass",
      ratio: build / pass,
      aim: null,
      detail: `${(1000 * build).toFixed(0)} ms`,
    },
  ];
}
