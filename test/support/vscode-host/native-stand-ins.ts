// Plain JavaScript in place of VS Code's two modules that would have to be compiled: the one that writes log
// files, without which output channels stay empty and every process prints an error, and the one that
// ends an extension host whose server has died, which here is done by ending the whole process group.

import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Raised when the stand-ins change, so that installed hosts are replaced. */
export const STAND_INS_VERSION = "1";

/** Puts the stand-ins over the modules found in that `node_modules` folder. */
export async function writeNativeStandIns(modules: string): Promise<void> {
  for (const [name, source] of Object.entries(STAND_INS)) {
    const folder = join(modules, name);
    if (!existsSync(folder)) continue;
    // What a compiler would have needed goes: sources, and the build script that npm might run later.
    for (const part of ["src", "deps", "binding.gyp"]) await rm(join(folder, part), { recursive: true, force: true });
    await writeFile(join(folder, "index.js"), source);
  }
}

const WATCHDOG = `
exports.start = () => {};
exports.exit = (code) => process.exit(code || 0);
`;

/** Lines as spdlog writes them with VS Code's pattern; after \`clearFormatters\` the text alone. No rotation. */
const SPDLOG = `
const { appendFileSync, mkdirSync } = require("node:fs");
const { dirname } = require("node:path");
const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];

class Logger {
  constructor(_type, _name, file) { this.file = file; this.level = 0; this.raw = false; }
  write(level, message) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace("T", " ").slice(0, -1);
    try { appendFileSync(this.file, this.raw ? message : time + " [" + LEVELS[level] + "] " + message + "\\n"); } catch {}
  }
  trace(message) { this.write(0, message); }
  debug(message) { this.write(1, message); }
  info(message) { this.write(2, message); }
  warn(message) { this.write(3, message); }
  error(message) { this.write(4, message); }
  critical(message) { this.write(5, message); }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() { this.raw = true; }
  flush() {}
  drop() {}
}
function createLogger(name, file) {
  mkdirSync(dirname(file), { recursive: true });
  return Promise.resolve(new Logger("rotating", name, file));
}
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
`;

const STAND_INS: Readonly<Record<string, string>> = {
  "@vscode/native-watchdog": WATCHDOG,
  "@vscode/spdlog": SPDLOG,
  "native-watchdog": WATCHDOG,
};
