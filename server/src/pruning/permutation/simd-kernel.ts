/** The kernel in WebAssembly, 16 rows at a time (kernel.wat). */
import type { Kernel } from "./kernel.js";
import code from "./kernel.wat";

interface Calls {
  exchanged(x: number, y: number, limits: number, length: number): number;
  regroup(members: number, top: number, n: number, limits: number, length: number): void;
}

/** What is used of WebAssembly, which is no part of the language's own types. */
interface WebAssemblyPart {
  validate(bytes: Uint8Array): boolean;
  readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Calls };
}
declare const WebAssembly: WebAssemblyPart;

const pageBytes = 1 << 16;
const vectorBytes = 16;

/** Whether this processor and engine run the kernel. */
export const hasSimd = (): boolean => WebAssembly.validate(code);

let compiled: object | undefined;

/** Memory: offsets of a group's columns and its scratch vectors, then all columns, then all thresholds. */
export class SimdKernel implements Kernel {
  readonly weights: Uint8Array;
  readonly #members: Uint32Array;
  /** Where the first column is, and how far behind a column its thresholds are. */
  readonly #columns: number;
  readonly #limits: number;
  readonly #calls: Calls;

  constructor(
    readonly stride: number,
    columns: number,
    m: number,
    private readonly n: number,
  ) {
    this.#columns = Math.ceil((4 * m) / vectorBytes + n + 1) * vectorBytes;
    this.#limits = columns * stride;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((this.#columns + 2 * this.#limits) / pageBytes) });
    this.#members = new Uint32Array(memory.buffer, 0, m);
    this.weights = new Uint8Array(memory.buffer, this.#columns, this.#limits);
    compiled ??= new WebAssembly.Module(code);
    this.#calls = new WebAssembly.Instance(compiled, { search: { memory } }).exports;
  }

  regroup(members: Uint32Array): void {
    for (let k = 0; k < members.length; k++) this.#members[k] = this.#columns + members[k]! * this.stride;
    this.#calls.regroup(0, 4 * members.length, this.n, this.#limits, this.stride);
  }

  exchanged(x: number, y: number): number {
    const columns = this.#columns;
    const { stride } = this;
    return this.#calls.exchanged(columns + x * stride, columns + y * stride, this.#limits, stride);
  }
}
