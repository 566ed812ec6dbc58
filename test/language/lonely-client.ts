/**
 * An editor that is killed in a test: starts the server over the transport `argv[2]` (`--node-ipc` or `--stdio`), opens
 * the model `argv[3]`, and says `running` when the first progress arrives.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createProtocolConnection,
  IPCMessageReader,
  IPCMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";
import { jobMethod, methods } from "../../server/protocol/requests.js";

const [transport, path] = process.argv.slice(2) as [string, string];
const ipc = transport === "--node-ipc";
const server = spawn(process.execPath, [join(__dirname, "server.js"), transport], {
  stdio: ["pipe", "pipe", "inherit", ...(ipc ? (["ipc"] as const) : [])],
});
const connection = ipc
  ? createProtocolConnection(new IPCMessageReader(server), new IPCMessageWriter(server))
  : createProtocolConnection(new StreamMessageReader(server.stdout!), new StreamMessageWriter(server.stdin!));
connection.listen();
connection.onNotification(methods.progress, () => {
  process.stdout.write("running\n");
});

async function main(): Promise<void> {
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions: { threads: 1, memoryLimit: 0, cacheMaxSize: 0, storage: __dirname },
  });
  await connection.sendRequest(jobMethod("open"), { uri: pathToFileURL(path).href, path, dynamicAxes: {} });
}
void main();
