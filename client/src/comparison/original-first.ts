/** Which of two files is the original, where the person chose both at once. */

/** A saved model's name goes on from the original's: `m.onnx` comes before `m.snip-90.onnx`. Else the order stays. */
export function originalFirst(names: readonly [string, string]): boolean {
  const [first, second] = names.map((name) => name.replace(/\.onnx$/i, "")) as [string, string];
  return !(
    first.length > second.length &&
    first.startsWith(second) &&
    /^[^\p{L}\p{N}]/u.test(first.slice(second.length))
  );
}
