// Holds what a VSIX is: exactly the expected files and one platform's runtime, small enough, and whole: unpacked far
// from the repository it analyses and prunes a model, and for systems that this machine is not, every library that
// its binaries load is in it.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Report } from "../../server/protocol/report.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";
import { openArchive, type Archive } from "./archive.js";
import { contentsFor } from "./contents.js";
import { loadTimeLibraries } from "./load-time-libraries.js";
import { packExtension, readManifest, shippedManifest } from "./pack.js";
import { binariesOf, targetNamed, targets, thisTarget, type Target } from "./targets.js";

const root = repositoryRoot();
const runtime = join(dirname(createRequire(join(root, "package.json")).resolve("onnxruntime-node")), "..");
const MODULES = "dist/node_modules";
const COMMON = `${MODULES}/onnxruntime-common/dist/cjs`;

let temporary: string;

beforeAll(async () => {
  expect(existsSync(join(root, "dist", "cli.js")), "dist/ is missing: run `npm run build` first").toBe(true);
  temporary = await mkdtemp(join(tmpdir(), "prunescope-vsix-"));
});

afterAll(async () => {
  await rm(temporary, { recursive: true, force: true });
});

const packed = new Map<string, Promise<string>>();

/** The VSIX of a target, packed once, without vsce's listing of the files. */
function pack(target: Target): Promise<string> {
  const vsix = packed.get(target.name) ?? packQuietly(target);
  packed.set(target.name, vsix);
  return vsix;
}

async function packQuietly(target: Target): Promise<string> {
  const quiet = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    return await packExtension(root, target, temporary);
  } finally {
    quiet.mockRestore();
  }
}

/** All files of the extension; the scripts of onnxruntime-common, which `index.js` stands for, are left out. */
function expectedFiles(target: Target): string[] {
  const documents = ["CHANGELOG.md", "LICENSE", "README.md"].filter((name) => existsSync(join(root, name)));
  const binaries = `${MODULES}/onnxruntime-node/${binariesOf(target)}`;
  return [
    ...documents,
    ...["cli", "engine", "extension", "server", "tfjs", "webview"].map((name) => `dist/${name}.js`),
    ...["tfjs-backend-wasm", "tfjs-backend-wasm-simd"].map((name) => `dist/${name}.wasm`),
    "dist/ThirdPartyNotices.txt",
    ...["icon.png", "view.css", "walkthrough/look.svg", "walkthrough/open.svg", "walkthrough/save.svg"].map(
      (name) => `media/${name}`,
    ),
    "package.nls.json",
    `${MODULES}/onnxruntime-common/package.json`,
    `${COMMON}/index.js`,
    `${COMMON}/package.json`,
    `${MODULES}/onnxruntime-node/package.json`,
    ...["backend", "binding", "index", "version"].map((name) => `${MODULES}/onnxruntime-node/dist/${name}.js`),
    `${binaries}/onnxruntime_binding.node`,
    `${binaries}/${target.library}`,
  ].sort();
}

function withoutCommonScripts(paths: readonly string[]): string[] {
  return paths.filter((path) => !/\/cjs\/(?!index)[a-z-]+\.js$/.test(path)).sort();
}

describe.each(targets)("the contents for $name", (target) => {
  it("are the extension and the runtime of that platform, nothing else", async () => {
    const paths = (await contentsFor(root, target)).map(({ path }) => path);
    expect(withoutCommonScripts(paths)).toEqual(expectedFiles(target));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it("hold every library beside the binding that is loaded with it, and no other", async () => {
    const folder = join(runtime, binariesOf(target));
    const beside = await readdir(folder);
    const needed = new Set(["onnxruntime_binding.node"]);
    for (const name of needed) {
      const libraries = loadTimeLibraries(await readFile(join(folder, name)));
      expect(libraries.length).toBeGreaterThan(0);
      for (const library of libraries.filter((each) => beside.includes(each))) needed.add(library);
    }
    expect([...needed].sort()).toEqual(["onnxruntime_binding.node", target.library].sort());
  });
});

describe("the targets", () => {
  it("are the platforms that onnxruntime-node ships", async () => {
    const bin = join(runtime, "bin", "napi-v6");
    const shipped = await Promise.all(
      (await readdir(bin)).map(async (os) => (await readdir(join(bin, os))).map((arch) => `${os}-${arch}`)),
    );
    expect(targets.map(({ name }) => name)).toEqual(shipped.flat().sort());
  });

  it("say which there are when another is asked for", () => {
    expect(() => targetNamed("darwin-x64")).toThrow(/no binaries for darwin-x64.*darwin-arm64, linux-arm64, linux-x64/);
  });

  it("need a built extension", async () => {
    await expect(contentsFor(temporary, targetNamed("linux-x64"))).rejects.toThrow(/npm run build/);
  });
});

describe.each([...new Set(["linux-x64", thisTarget().name])])("the VSIX for %s", (name) => {
  const target = targetNamed(name);
  let vsix: string;
  let archive: Archive;

  beforeAll(async () => {
    vsix = await pack(target);
    archive = await openArchive(vsix);
  });

  it("is named after the platform and at most 25 MB", async () => {
    const { version } = await readManifest(root);
    expect(basename(vsix)).toBe(`prunescope-${name}-${version}.vsix`);
    expect((await stat(vsix)).size).toBeLessThanOrEqual(25e6);
  });

  it("holds exactly the contents: no maps, tests or sources, and the binaries of no other platform", async () => {
    const renamed: Readonly<Record<string, string>> = {
      LICENSE: "LICENSE.txt", // What vsce calls them.
      "CHANGELOG.md": "changelog.md",
      "README.md": "readme.md",
    };
    const inside = ["package.json", ...(await contentsFor(root, target)).map(({ path }) => renamed[path] ?? path)];
    expect(archive.names).toEqual(
      ["[Content_Types].xml", "extension.vsixmanifest", ...inside.map((path) => `extension/${path}`)].sort(),
    );
    expect(archive.names.filter((path) => /\.(map|ts|tsx|mjs|mts)$|(^|\/)tests?\/|screenshots/.test(path))).toEqual([]);
    expect(archive.names.filter((path) => /\.(node|so|dylib|dll)(\.|$)/.test(path))).toHaveLength(2);
  });

  it("is for that platform only", async () => {
    expect(await archive.text("extension.vsixmanifest")).toContain(`TargetPlatform="${name}"`);
  });

  it("has the repository's manifest without scripts and dependencies, and what that refers to", async () => {
    const manifest = await readManifest(root);
    const shipped: unknown = JSON.parse(await archive.text("extension/package.json"));
    expect(shipped).toEqual(shippedManifest(manifest));
    expect(Object.keys(manifest).filter((key) => !Object.hasOwn(shipped as object, key))).toEqual(
      expect.arrayContaining(["scripts", "dependencies", "devDependencies"]),
    );
    const files = JSON.stringify(shipped).match(/(?<=")(\.\/)?(dist|media)\/[^"]+/g) ?? [];
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect(archive.names).toContain(`extension/${file.replace(/^\.\//, "")}`);
  });
});

describe("the VSIX of this platform, unpacked outside the repository", () => {
  let extension: string;
  let model: string;

  beforeAll(async () => {
    const far = join(temporary, "far");
    await (await openArchive(await pack(thisTarget()))).unpackInto(far);
    extension = join(far, "extension");
    model = join(far, "model.onnx");
    const assets = join(root, "node_modules", "@gutenye", "ocr-models", "assets");
    await copyFile(join(assets, "ch_ppocr_mobile_v2.0_cls_infer.onnx"), model);
  });

  /** What the packaged command line prints, with nothing of the repository in reach. */
  async function prunescope(...args: string[]): Promise<string> {
    const foreign = new Set(["NODE_PATH", "NODE_OPTIONS", "FORCE_COLOR"]);
    const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !foreign.has(variable)));
    const cli = join(extension, "dist", "cli.js");
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], {
      cwd: dirname(model),
      env: { ...env, NO_COLOR: "1" },
      maxBuffer: 1e8,
    });
    return stdout;
  }

  it("analyses a model", async () => {
    const report = JSON.parse(await prunescope("analyze", model, "--format", "json")) as Report;
    expect(report).toMatchObject({ schema: "prunescope.report/1", sparsity: 0.9, model: { prunable: 124_072 } });
    expect(report.kept).toBe(report.layers.reduce((sum, { kept }) => sum + kept, 0));
  });

  it("writes the report as a page, with the view and style sheet it brought along", async () => {
    const page = await prunescope("analyze", model, "--format", "html");
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.length).toBeGreaterThan((await stat(join(extension, "dist", "webview.js"))).size);
  });

  it("prunes it, and runs both models in the ONNX Runtime it brought along", async () => {
    const pruned = join(temporary, "far", "pruned.onnx");
    const said = await prunescope("prune", model, "--output", pruned);
    expect(said).toContain("of 124,072 prunable weights are zero");
    expect(said).toContain("loaded and run in ONNX Runtime");
    expect((await stat(pruned)).size).toBeGreaterThanOrEqual((await stat(model)).size);
  });
});
