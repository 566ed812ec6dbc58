/** WebAssembly written as text: the bytes of the module (server/wat.mjs). */
declare module "*.wat" {
  const code: Uint8Array;
  export default code;
}
