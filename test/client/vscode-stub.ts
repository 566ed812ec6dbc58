// The little of `vscode` that the client's pure modules touch: `vi.mock("vscode", () => import("./vscode-stub.js"))`.

export const l10n = {
  t: (message: string, ...parts: (string | number)[]): string =>
    message.replace(/\{(\d+)\}/g, (_whole, index: string) => String(parts[Number(index)])),
};

/** Settings that `workspace.getConfiguration("prunescope")` holds; tests fill it. */
export const configuration = new Map<string, unknown>();

export const workspace = {
  getConfiguration: () => ({ get: (key: string) => configuration.get(key) }),
};
