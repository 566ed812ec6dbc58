/** The header of a .npy file (NEP 1), as NumPy writes it. */

/** Element types that are written, as NumPy describes them. */
export type NpyType = "|b1" | "<f4";

/** Payloads begin at a multiple of it. */
const alignment = 64;

/** Longest header of version 1, whose length has two bytes. */
const maxShort = 0xffff;

/** The header of an array in row-major order: magic, version, length, and a Python literal that says what follows. */
export function npyHeader(type: NpyType, shape: readonly number[]): Uint8Array {
  // A tuple of one element has a comma in Python.
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims}), }`;
  const lengthBytes = 10 + text.length + alignment > maxShort ? 4 : 2;
  const start = 8 + lengthBytes;
  const total = Math.ceil((start + text.length + 1) / alignment) * alignment;
  const header = Buffer.alloc(total, " ");
  header.write("\x93NUMPY", "latin1");
  header.writeUInt8(lengthBytes === 2 ? 1 : 2, 6);
  header.writeUInt8(0, 7);
  header.writeUIntLE(total - start, 8, lengthBytes);
  header.write(text, start, "latin1");
  header.write("\n", total - 1, "latin1");
  return header;
}
