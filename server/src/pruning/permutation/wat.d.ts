/** WebAssembly written as text: the bytes of the module (wat.mjs). */
declare module "*.wat" {
  const code: Uint8Array;
  export default code;
}
