/**
 * float16 and bfloat16, in one place: platforms disagree on its typed array (ONNX Runtime takes Float16Array where there is one and
 * Uint16Array elsewhere), so everything here works on the 16 bits.
 */

/** The number that 16 bits of an IEEE half stand for. */
export function float16ToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 === 0 ? 1 : -1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the elements of a float16 array, whichever typed array the platform uses. */
export function float16Bits(array: ArrayBufferView): Uint16Array {
  return new Uint16Array(array.buffer, array.byteOffset, array.byteLength / 2);
}

/** The typed array that ONNX Runtime takes for these bits on this platform. */
export function float16Array(bits: Uint16Array<ArrayBuffer>): Uint16Array {
  const native = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => Uint16Array }).Float16Array;
  return native === undefined ? bits : new native(bits.buffer);
}

/** The 16 bits of the IEEE half nearest to `value`, ties to even. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // Half way between the largest half and the next power of two.
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = magnitude === 0 ? -14 : Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = magnitude * 2 ** (10 - exponent);
  const below = Math.floor(steps);
  const up = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1);
  // A normal half has 1024 ≤ steps < 2048, a subnormal less; a carry runs into the exponent, as it should.
  return sign | (((exponent + 14) << 10) + below + (up ? 1 : 0));
}

/** The 16 bits of the bfloat16 nearest to `value` as a float32, ties to even. */
export function numberToBfloat16(value: number): number {
  const word = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
