// The platforms a VSIX is made for: those that onnxruntime-node has binaries for, and the library that its binding
// links to on each. What else lies beside them is never loaded here: DirectML and the shader compiler of the GPU
// providers on Windows (delay-loaded, and only the CPU provider is used), a second copy of the library on macOS.

export interface Target {
  /** VS Code's name of the platform, which is also `process.platform`-`process.arch`. */
  readonly name: string;
  /** File name of the shared library that `onnxruntime_binding.node` loads. */
  readonly library: string;
}

/** Every platform that onnxruntime-node 1.30 ships, by name. */
export const targets: readonly Target[] = Object.freeze([
  { name: "darwin-arm64", library: "libonnxruntime.1.dylib" },
  { name: "linux-arm64", library: "libonnxruntime.so.1" },
  { name: "linux-x64", library: "libonnxruntime.so.1" },
  { name: "win32-arm64", library: "onnxruntime.dll" },
  { name: "win32-x64", library: "onnxruntime.dll" },
]);

/** The folder of a target's binaries inside onnxruntime-node. */
export function binariesOf(target: Target): string {
  return `bin/napi-v6/${target.name.replace("-", "/")}`;
}

/** The target of that name. Throws, naming those there are, for any other. */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name);
  if (target) return target;
  const known = targets.map((each) => each.name).join(", ");
  throw new Error(`ONNX Runtime has no binaries for ${name}: a VSIX can be made for ${known}.`);
}

/** The target of the machine that this runs on. Throws where ONNX Runtime does not run. */
export function thisTarget(): Target {
  return targetNamed(`${process.platform}-${process.arch}`);
}
