/**
 * Writes NumPy's .npz archives: a zip of deflated .npy members, block by block, with ZIP64 where sizes ask for it. Equal
 * arrays make equal bytes: members have no time of their own.
 */
import { PassThrough, Readable } from "node:stream";
import { npyHeader, type NpyType } from "./npy-header.js";
import { elementCount } from "../graph/tensor.js";

/** An array to be written. */
export interface NpzMember {
  /** Of the array, without `.npy`. A zip refuses some names: see `memberName`. */
  readonly name: string;
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Bytes of the elements, in row-major order; each block is given away. */
  blocks(): AsyncIterable<Uint8Array>;
}

/** The earliest time that a zip can tell, which NumPy writes too. */
const noTime = new Date(1980, 0, 1);

/** Effort of deflate: masks shrink well, and mantissas of floats do not whatever is tried. */
const levels: Readonly<Record<NpyType, number>> = { "|b1": 6, "<f4": 1 };
const elementBytes: Readonly<Record<NpyType, number>> = { "|b1": 1, "<f4": 4 };

/** The bytes of an archive, in their order. What a member's blocks throw is thrown. */
export async function* npzBytes(members: readonly NpzMember[]): AsyncGenerator<Uint8Array, void, undefined> {
  const { ZipFile } = await import("yazl");
  const zip = new ZipFile();
  const output = new PassThrough();
  zip.outputStream.pipe(output);
  const stop = (error: unknown): void => {
    output.destroy(error as Error);
  };
  zip.on("error", stop);
  const open = new Set<Readable>();
  for (const member of members) {
    const { name, type, shape } = member;
    const header = npyHeader(type, shape);
    const size = header.length + elementCount(shape) * elementBytes[type];
    const options = { size, mtime: noTime, forceDosTimestamp: true, compressionLevel: levels[type] };
    zip.addReadStreamLazy(`${name}.npy`, options, (give) => {
      const stream = Readable.from(pieces(header, member));
      open.add(stream);
      // A stream that is piped does not hand its errors on.
      stream.on("error", stop).on("close", () => open.delete(stream));
      give(null, stream);
    });
  }
  zip.end();
  try {
    yield* output as AsyncIterable<Uint8Array>;
  } finally {
    for (const stream of open) stream.destroy();
  }
}

async function* pieces(header: Uint8Array, member: NpzMember): AsyncIterable<Uint8Array> {
  yield header;
  yield* member.blocks();
}
