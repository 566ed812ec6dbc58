/** A reader of .npz files that shares nothing with the product's: jszip, and a header parse of its own. */
import { readFileSync } from "node:fs";
import JSZip from "jszip";

export interface NpzEntry {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly payload: Buffer;
}

/** Every member of an archive by its name, `.npy` taken off. */
export async function readNpz(path: string): Promise<Record<string, NpzEntry>> {
  const zip = await JSZip.loadAsync(readFileSync(path), { checkCRC32: true });
  const members: [string, NpzEntry][] = [];
  for (const [name, file] of Object.entries(zip.files)) {
    if (!name.endsWith(".npy")) throw new Error(`${name} is no array`);
    members.push([name.slice(0, -4), parse(await file.async("nodebuffer"))]);
  }
  return Object.fromEntries(members);
}

/** The fixed bytes, then a Python literal that JSON can be made of. */
function parse(bytes: Buffer): NpzEntry {
  if (bytes.subarray(0, 8).toString("latin1") !== "\x93NUMPY\x01\x00") throw new Error("not .npy 1.0");
  const start = 10 + bytes.readUInt16LE(8);
  const text = bytes.subarray(10, start).toString("latin1");
  if (start % 64 !== 0 || !text.endsWith("\n")) throw new Error("the header is not padded as NumPy pads it");
  const json = text
    .replaceAll("'", '"')
    .replace("False", "false")
    .replace("True", "true")
    .replace(/\(([\d, ]*?),? *\)/, "[$1]")
    .replace(/, *\}/, "}");
  const {
    descr,
    fortran_order: fortran,
    shape,
  } = JSON.parse(json) as {
    descr: string;
    fortran_order: boolean;
    shape: number[];
  };
  return { descr, fortran, shape, payload: bytes.subarray(start) };
}

/** Elements of a float32 member. */
export const floats = ({ payload }: NpzEntry): Float32Array => new Float32Array(Uint8Array.from(payload).buffer);
