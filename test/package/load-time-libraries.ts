// Which libraries a native binary needs when it is loaded, read from the file itself, so that a VSIX for a system we
// cannot run is still known to be whole: ELF's DT_NEEDED, Mach-O's LC_LOAD_DYLIB, PE's import directory. Libraries
// that are loaded later and only if used (PE's delay imports, dlopen) are not among them. 64-bit little-endian only.

/** The names of the libraries, without folders and `@rpath`. Throws on a file of another kind. */
export function loadTimeLibraries(file: Buffer): string[] {
  const magic = file.readUInt32LE(0);
  if (magic === 0x464c457f) return elfLibraries(file);
  if (magic === 0xfeedfacf) return machoLibraries(file);
  if ((magic & 0xffff) === 0x5a4d) return peLibraries(file);
  throw new Error(`Neither ELF, Mach-O nor PE: the file begins with ${magic.toString(16)}.`);
}

/** A part of the file and the address that it has in memory. */
interface Segment {
  readonly address: number;
  readonly size: number;
  readonly offset: number;
}

/** Where in the file an address of the loaded image is. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const segment = segments.find((each) => address >= each.address && address < each.address + each.size);
  if (!segment) throw new Error(`Address ${address.toString(16)} is outside of every segment.`);
  return address - segment.address + segment.offset;
}

function textAt(file: Buffer, offset: number): string {
  return file.toString("latin1", offset, file.indexOf(0, offset));
}

function elfLibraries(file: Buffer): string[] {
  const u64 = (offset: number) => Number(file.readBigUInt64LE(offset));
  const headers = Array.from({ length: file.readUInt16LE(56) }, (_, index) => u64(32) + index * file.readUInt16LE(54));
  const ofType = (type: number) =>
    headers
      .filter((header) => file.readUInt32LE(header) === type)
      .map((header): Segment => ({ offset: u64(header + 8), address: u64(header + 16), size: u64(header + 32) }));
  const loaded = ofType(1);
  const entries = ofType(2).flatMap(({ offset, size }) =>
    Array.from({ length: size / 16 }, (_, index) => ({
      tag: u64(offset + index * 16),
      value: u64(offset + index * 16 + 8),
    })),
  );
  const strings = offsetOf(entries.find(({ tag }) => tag === 5)!.value, loaded);
  return entries.filter(({ tag }) => tag === 1).map(({ value }) => textAt(file, strings + value));
}

function machoLibraries(file: Buffer): string[] {
  const libraries: string[] = [];
  for (let index = 0, command = 32; index < file.readUInt32LE(16); index++) {
    // LC_LOAD_DYLIB only: a weak or lazy library may be absent.
    if (file.readUInt32LE(command) === 0xc) libraries.push(textAt(file, command + file.readUInt32LE(command + 8)));
    command += file.readUInt32LE(command + 4);
  }
  return libraries.map((path) => path.slice(path.lastIndexOf("/") + 1));
}

function peLibraries(file: Buffer): string[] {
  const header = file.readUInt32LE(0x3c);
  const optional = header + 24;
  const table = optional + file.readUInt16LE(header + 20);
  const sections = Array.from({ length: file.readUInt16LE(header + 6) }, (_, index): Segment => {
    const section = table + index * 40;
    return {
      address: file.readUInt32LE(section + 12),
      size: file.readUInt32LE(section + 16),
      offset: file.readUInt32LE(section + 20),
    };
  });
  // The second data directory of a PE32+ image; its entries of 20 bytes end with an empty one.
  const libraries: string[] = [];
  for (let entry = offsetOf(file.readUInt32LE(optional + 120), sections); ; entry += 20) {
    const name = file.readUInt32LE(entry + 12);
    if (name === 0) return libraries;
    libraries.push(textAt(file, offsetOf(name, sections)));
  }
}
