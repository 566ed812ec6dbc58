/**
 * The language server: a process between the editor and the engines that is never busy itself. It speaks LSP over IPC or
 * stdio, as its arguments say, and ends with its parent; its engines see that and end too.
 */
import { join } from "node:path";
import { createConnection } from "vscode-languageserver/node";
import { Engines } from "./engine/engines.js";
import { serve } from "./language/connection.js";

const connection = createConnection();

serve(connection, ({ storage, ...settings }) => {
  return new Engines({
    entry: join(__dirname, "engine.js"),
    storage,
    settings,
    log: (text) => {
      connection.console.log(text.trimEnd());
    },
  });
});

// The library looks for the parent every 3 seconds; a channel that closes says it at once.
process.on("disconnect", () => process.exit(1));
