// What every suite in the extension host needs: waiting for something to be so, and the tabs of our editor.

import * as vscode from "vscode";

export const viewType = "prunescope.model";

/** Waits until `probe` gives something. @throws Error naming `what` after 45 s. */
export async function eventually<T>(what: string, probe: () => Promise<T | null> | T | null): Promise<T> {
  const end = Date.now() + 45_000;
  for (;;) {
    const value = await probe();
    if (value !== null) return value;
    if (Date.now() > end) throw new Error(`${what}: this did not come about.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The tab that shows `uri` in the model editor; null when there is none. */
export function modelTab(uri: vscode.Uri): vscode.Tab | null {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const found = tabs.find(
    ({ input }) =>
      input instanceof vscode.TabInputCustom && input.viewType === viewType && input.uri.toString() === uri.toString(),
  );
  return found ?? null;
}

/** The tab of a page of that type; null when there is none. */
export function webviewTab(type: string): vscode.Tab | null {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  // VS Code puts something of its own before the type.
  return tabs.find(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(type)) ?? null;
}
