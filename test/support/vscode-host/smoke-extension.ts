// A throwaway extension that the smoke test of this folder loads instead of ours: a custom editor for
// `*.smoke` files whose webview runs a script under a content security policy, a command, and two suites,
// one of which fails. The files `polite.smoke` and `rude.smoke` differ in that the second's page breaks its policy.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Paths of the generated extension. */
export interface SmokeExtension {
  readonly folder: string;
  /** A folder with `polite.smoke` and `rude.smoke`. */
  readonly workspace: string;
  readonly passingSuite: string;
  readonly failingSuite: string;
}

/** Writes the extension, its workspace and its suites below `folder`. */
export async function writeSmokeExtension(folder: string): Promise<SmokeExtension> {
  const extension: SmokeExtension = {
    folder: join(folder, "extension"),
    workspace: join(folder, "workspace"),
    passingSuite: join(folder, "passing.js"),
    failingSuite: join(folder, "failing.js"),
  };
  await mkdir(extension.folder);
  await mkdir(extension.workspace);
  await writeFile(join(extension.folder, "package.json"), JSON.stringify(MANIFEST));
  await writeFile(join(extension.folder, "main.js"), MAIN);
  await writeFile(join(extension.folder, "view.js"), VIEW);
  await writeFile(join(extension.workspace, "polite.smoke"), "polite");
  await writeFile(join(extension.workspace, "rude.smoke"), "rude");
  await writeFile(extension.passingSuite, PASSING);
  await writeFile(extension.failingSuite, FAILING);
  return extension;
}

const MANIFEST = {
  name: "smoke",
  publisher: "prunescope-test",
  version: "0.0.1",
  repository: "https://example.invalid/smoke.git",
  engines: { vscode: "^1.100.0" },
  main: "./main.js",
  files: ["*.js"],
  contributes: {
    commands: [{ command: "smoke.hello", title: "Hello", category: "Smoke" }],
    customEditors: [{ viewType: "smoke.view", displayName: "Smoke", selector: [{ filenamePattern: "*.smoke" }] }],
  },
};

const MAIN = `
const vscode = require("vscode");
exports.activate = (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("smoke.hello", () => void vscode.window.showInformationMessage("Hello from the host")),
    vscode.window.registerCustomEditorProvider("smoke.view", {
      openCustomDocument: (uri) => ({ uri, dispose() {} }),
      async resolveCustomEditor(document, { webview }) {
        const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(document.uri));
        webview.options = { enableScripts: true, localResourceRoots: [context.extensionUri] };
        webview.onDidReceiveMessage(() => webview.postMessage(text));
        const script = webview.asWebviewUri(vscode.Uri.joinPath(context.extensionUri, "view.js"));
        webview.html = \`<!DOCTYPE html><html><head>
          <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-abc'; style-src 'nonce-abc'">
          <style nonce="abc">p { color: rgb(1, 2, 3) }</style></head>
          <body><h1 id="title">Smoke</h1><p id="text"></p>
          \${text === "rude" ? "<script>document.title = 'never'</script>" : ""}
          <script nonce="abc" src="\${script}"></script></body></html>\`;
      },
    }),
  );
};
`;

const VIEW = `
window.addEventListener("message", ({ data }) => {
  document.getElementById("text").textContent = data;
  if (data === "rude") { console.error("rude words"); setTimeout(() => { throw new Error("rude throw"); }); }
});
acquireVsCodeApi().postMessage("ready");
`;

const PASSING = `
const assert = require("node:assert");
const vscode = require("vscode");
describe("in the host", () => {
  it("activates the extension", async () => {
    const extension = vscode.extensions.getExtension("prunescope-test.smoke");
    await extension.activate();
    assert.ok((await vscode.commands.getCommands()).includes("smoke.hello"));
  });
});
`;

const FAILING = `
describe("in the host", () => {
  it("fails on purpose", () => {
    throw new Error("a deliberate failure");
  });
});
`;
