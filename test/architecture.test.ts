/**
 * The arrows of the house: imports point one way, `client` and `webview` know the protocol only, and every folder that
 * is a registry lists exactly the files it holds.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { criteria } from "../server/src/criteria/index.js";
import { formats } from "../server/src/formats/index.js";

const root = join(import.meta.dirname, "..");

/** What each part may import besides itself. Parts that are absent may import nothing of ours. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "server/protocol": [],
  "server/src/version.ts": [],
  "server/src/graph": ["server/protocol"],
  "server/src/formats": ["server/protocol", "server/src/graph"],
  "server/src/runtime": ["server/protocol", "server/src/graph"],
  "server/src/data": ["server/protocol", "server/src/graph", "server/src/formats", "server/src/runtime"],
  "server/src/autodiff": [
    "server/protocol",
    "server/src/graph",
    "server/src/formats",
    "server/src/runtime",
    "server/src/data",
  ],
};
const scoring = [...allowed["server/src/autodiff"]!, "server/src/autodiff"];
const analysis = [...scoring, "server/src/criteria", "server/src/pruning", "server/src/meanfield", "server/src/tfjs"];
const engine = [...analysis, "server/src/analysis", "server/src/process", "server/src/version.ts"];
const top = [...engine, "server/src/engine"];
const rules: Readonly<Record<string, readonly string[]>> = {
  ...allowed,
  "server/src/pruning": scoring,
  "server/src/process": [],
  "server/src/tfjs": ["server/protocol", "server/src/graph", "server/src/formats", "server/src/process"],
  "server/src/meanfield": scoring,
  "server/src/criteria": [...scoring, "server/src/pruning"],
  "server/src/analysis": [...analysis, "server/src/version.ts"],
  "server/src/engine": engine,
  "server/src/language": top,
  "server/src/cli": top,
  "server/src/cli.ts": [...top, "server/src/cli"],
  "server/src/main.ts": [...top, "server/src/language"],
  "client/src": ["server/protocol"],
  "webview/src": ["server/protocol"],
};

const parts = Object.keys(rules).sort((a, b) => b.length - a.length);
const partOf = (file: string): string | undefined => parts.find((part) => file === part || file.startsWith(part + "/"));

function* sources(folder: string): Iterable<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

const imports = (file: string): string[] =>
  [...readFileSync(join(root, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);

const files = ["server/protocol", "server/src", "client/src", "webview/src"].flatMap((folder) => [...sources(folder)]);

describe("imports", () => {
  it("reads a real number of files", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it.each(files)("%s stays inside its arrows", (file) => {
    const part = partOf(file);
    expect(part, `${file} lies in no part of the house`).toBeDefined();
    for (const specifier of imports(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = relative(root, resolve(root, dirname(file), specifier))
        .split(sep)
        .join("/")
        .replace(/\.js$/, ".ts");
      if (target === "package.json") continue;
      const other = partOf(target);
      expect(other === part || rules[part!]!.includes(other ?? "?"), `${file} imports ${target}`).toBe(true);
    }
  });

  it.each(files.filter((file) => file.startsWith("server/") || file.startsWith("webview/")))(
    "%s does not know vscode",
    (file) => {
      expect(imports(file)).not.toContain("vscode");
    },
  );

  it.each(files.filter((file) => file.startsWith("webview/") || file.startsWith("server/protocol/")))(
    "%s does not know Node",
    (file) => {
      expect(imports(file).filter((specifier) => specifier.startsWith("node:"))).toEqual([]);
    },
  );
});

describe("registries", () => {
  const held = (folder: string, besides: readonly string[]): string[] =>
    readdirSync(join(root, folder))
      .map((name) => name.replace(/\.ts$/, ""))
      .filter((name) => !besides.includes(name))
      .sort();

  it("criteria lists every file of its folder, under the file's name", () => {
    expect(criteria.map(({ id }) => id).sort()).toEqual(held("server/src/criteria", ["criterion", "index", "rounds"]));
  });

  it("gradients lists the rules of every file", () => {
    const folder = "server/src/autodiff/gradients";
    const listed = imports(`${folder}/index.ts`).flatMap((specifier) => /^\.\/(.+)\.js$/.exec(specifier)?.[1] ?? []);
    expect(listed.sort()).toEqual(held(folder, ["conv", "index"]).concat("conv").sort());
  });

  it("formats lists every folder", () => {
    const entries = readdirSync(join(root, "server/src/formats"), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(formats.map(({ id }) => id).sort()).toEqual(folders.sort());
  });

  it.each(["layers", "graph-model"])("%s lists the rules of every file", (part) => {
    const folder = `server/src/formats/tfjs/${part}/rules`;
    const listed = imports(`${folder}/index.ts`).flatMap((specifier) => /^\.\/(.+)\.js$/.exec(specifier)?.[1] ?? []);
    expect(listed.sort()).toEqual(held(folder, ["index"]));
  });
});
