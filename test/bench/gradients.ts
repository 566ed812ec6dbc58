/**
 * The gradient pass of networks of full size against a plain forward pass and, where PyTorch is installed, against its
 * forward and backward pass with as many threads. Every measurement is a process of its own, for its peak memory, and
 * the three take turns (PyTorch runs the same ONNX graph node by node, with its own kernels for BatchNormalization and
 * Clip; Debian's needs OpenBLAS beside it, its reference BLAS is slow), so that a noisy machine treats them alike.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { npy } from "../support/arrays-on-disk.js";
import { fullSize, type FullSize } from "./full-size.js";
import { median, type Row } from "./table.js";

const rounds = 3;
const runs = 5;
const python = "/usr/bin/python3";

/** Aims of DESIGN.md: time over PyTorch's. */
const aims: Readonly<Record<FullSize, number | null>> = {
  "ResNet-18": null,
  "ResNet-50": 0.9,
  MobileNetV2: 0.7,
  "ViT-S/16": 0.4,
};

interface Measured {
  readonly seconds: number;
  readonly peak: number;
  readonly build?: number;
}

/** Measures every network. `folder` is for files. */
export function benchGradients(folder: string): Row[] {
  const torch = hasTorch();
  return (Object.keys(fullSize) as FullSize[]).flatMap((name) => benchNetwork(name, folder, torch));
}

function benchNetwork(name: FullSize, folder: string, torch: boolean): Row[] {
  const place = mkdtempSync(join(folder, "network-"));
  const threads = String(availableParallelism());
  const script = (what: string): Measured =>
    parsed(
      execFileSync(
        process.execPath,
        ["test/support/run-ts.mjs", "test/bench/gradient-pass.ts", name, threads, String(runs), what],
        {
          encoding: "utf8",
        },
      ),
    );
  const forward: Measured[] = [];
  const pass: Measured[] = [];
  const other: Measured[] = [];
  if (torch) writeProblem(name, place);
  for (let round = 0; round < rounds; round++) {
    forward.push(script("forward"));
    pass.push(script("gradients"));
    if (torch) {
      const command = [
        "test/bench/torch_pass.py",
        join(place, "model.onnx"),
        join(place, "data"),
        threads,
        String(runs),
      ];
      // Threads that wait sleep, as ONNX Runtime's do here: on shared cores spinning ones wait for each other.
      const env = { ...process.env, OMP_WAIT_POLICY: "passive" };
      other.push(parsed(execFileSync(python, command, { encoding: "utf8", env })));
    }
  }
  rmSync(place, { recursive: true });
  const seconds = (list: readonly Measured[]): number => median(list.map((one) => one.seconds));
  const peak = (list: readonly Measured[]): number => median(list.map((one) => one.peak));
  const build = median(pass.map((one) => one.build ?? 0));
  const detail = `${(1000 * seconds(pass)).toFixed(0)} ms`;
  const rows: Row[] = [
    {
      what: `${name}: gradient pass`,
      against: "forward pass",
      ratio: seconds(pass) / seconds(forward),
      aim: null,
      detail,
    },
    {
      what: `${name}: building graph and session`,
      against: "one gradient pass",
      ratio: build / seconds(pass),
      aim: 0.1,
      detail: `${(1000 * build).toFixed(0)} ms`,
    },
  ];
  if (!torch) return rows;
  return [
    ...rows,
    {
      what: `${name}: gradient pass`,
      against: "PyTorch forward + backward",
      ratio: seconds(pass) / seconds(other),
      aim: aims[name],
      detail: `${detail} against ${(1000 * seconds(other)).toFixed(0)} ms`,
    },
    {
      what: `${name}: peak memory, scores reduced in the engine`,
      against: "PyTorch",
      ratio: peak(pass) / peak(other),
      aim: 0.7,
      detail: `${(peak(pass) / 1e6).toFixed(0)} MB against ${(peak(other) / 1e6).toFixed(0)} MB`,
    },
  ];
}

function writeProblem(name: FullSize, place: string): void {
  const { bytes, feeds, labels } = fullSize[name]();
  writeFileSync(join(place, "model.onnx"), bytes);
  mkdirSync(join(place, "data"));
  for (const [input, { data, shape }] of Object.entries(feeds))
    writeFileSync(join(place, "data", `${input}.npy`), npy({ dtype: "float", values: data, shape }));
  const given = npy({ dtype: "int64", values: labels.data, shape: labels.shape });
  writeFileSync(join(place, "data", "labels.npy"), given);
}

const parsed = (text: string): Measured => JSON.parse(text.trim().split("\n").at(-1)!) as Measured;

function hasTorch(): boolean {
  try {
    execFileSync(python, ["-c", "import torch, onnx"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
