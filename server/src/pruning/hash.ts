/**
 * Seeded hashes of (layer, index). They break ties between equal scores, so that the order of tensors in a file never
 * decides which weights go, and they are the random criterion. 32-bit arithmetic only: any language can repeat them.
 */

/** FNV-1a of the UTF-8 bytes of `id`, then of the four little-endian bytes of `seed`. */
export function layerSeed(id: string, seed: number): number {
  let hash = 0x811c9dc5;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const byte of new TextEncoder().encode(id)) add(byte);
  for (let i = 0; i < 4; i++) add((seed >>> (8 * i)) & 0xff);
  return hash >>> 0;
}

/** MurmurHash3's 32-bit finaliser of base + index · 0x9e3779b1 (index taken modulo 2^32). @returns an unsigned 32-bit number. */
export function mix32(base: number, index: number): number {
  let h = (base + Math.imul(index, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
