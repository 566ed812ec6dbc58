// The manifest and the code say the same: commands, settings, the editor, the strings.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { tfjsViewType, viewType } from "../../client/src/model-editor/view-type.js";
import { parseModelSettings, parseServerSettings } from "../../client/src/settings.js";
import { criteria } from "../../server/src/criteria/index.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { maxAxisLength } from "../../server/protocol/recipe.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

interface Setting {
  readonly type: string;
  readonly default: unknown;
  readonly scope: string;
  readonly markdownDescription: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly additionalProperties?: { readonly maximum: number };
}
interface MenuEntry {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
}
interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly l10n?: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: string; readonly restrictedConfigurations?: readonly string[] };
    readonly virtualWorkspaces: { readonly supported: boolean };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category: string; readonly enablement?: string }[];
    readonly customEditors: readonly { readonly viewType: string; readonly priority: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, Setting>> };
    readonly menus: Readonly<Record<string, readonly MenuEntry[]>>;
    readonly submenus: readonly { readonly id: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly media: { readonly svg: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const root = resolve(import.meta.dirname, "../..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(text("package.json")) as Manifest;
const { contributes } = manifest;
const sources = readdirSync(join(root, "client/src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => text(join("client/src", name)))
  .join("\n");
const matches = (source: string, pattern: RegExp): string[] =>
  [...new Set([...source.matchAll(pattern)].map((match) => match[1] ?? ""))].sort();

describe("commands", () => {
  const declared = contributes.commands.map(({ command }) => command).sort();

  it("are registered, each of them and no other", () => {
    expect(matches(sources, /context\.command\(\s*"(prunescope\.\w+)"/g)).toEqual(declared);
    expect(sources.match(/commands\.registerCommand\(/g)).toHaveLength(1);
  });

  it("carry our category", () => {
    expect(contributes.commands.filter(({ category }) => category !== "PruneScope")).toEqual([]);
  });

  it("appear in menus only when they exist, and outside the palette's default only with a when-clause", () => {
    const submenus = contributes.submenus.map(({ id }) => id);
    for (const [menu, entries] of Object.entries(contributes.menus)) {
      for (const { command, submenu, when } of entries) {
        if (command !== undefined) expect(declared).toContain(command);
        if (submenu !== undefined) expect(submenus).toContain(submenu);
        if (!submenus.includes(menu)) expect(when, `${menu}: ${command ?? submenu ?? ""}`).toBeTruthy();
      }
    }
  });

  it("use context keys that the code sets", () => {
    const clauses = [
      ...Object.values(contributes.menus).flatMap((entries) => entries.map(({ when }) => when ?? "")),
      ...contributes.commands.map(({ enablement }) => enablement ?? ""),
    ];
    const used = matches(clauses.join("\n").replaceAll(`'${viewType}'`, ""), /(prunescope\.\w+)/g);
    expect(matches(sources, /"setContext",\s*"(prunescope\.\w+)"/g)).toEqual(used);
  });

  it("are for both editors where they are for one", () => {
    const clauses = [
      ...Object.values(contributes.menus).flatMap((entries) => entries.map(({ when }) => when ?? "")),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.flatMap((step) => step.completionEvents)),
    ].filter((clause) => clause.includes("activeCustomEditorId"));
    expect(clauses.length).toBeGreaterThan(0);
    for (const clause of clauses) {
      const pattern = /activeCustomEditorId =~ \/(.*?)\//.exec(clause)?.[1] ?? clause;
      const matching = [viewType, tfjsViewType, `${viewType}s`, "other.model"].filter((id) =>
        new RegExp(pattern).test(id),
      );
      expect(matching, clause).toEqual([viewType, tfjsViewType]);
    }
  });
});

describe("settings", () => {
  const { properties } = contributes.configuration;
  const prefix = "prunescope.";
  const names = Object.keys(properties).map((key) => key.slice(prefix.length));
  const manifestDefault = (key: string): unknown => properties[prefix + key]?.default;

  it("are read, each of them and no other", () => {
    expect(Object.keys(properties).every((key) => key.startsWith(prefix))).toBe(true);
    const settings = text("client/src/settings.ts");
    expect(matches(settings, /\bget(?:terFor\(undefined\))?\("([\w.]+)"\)/g)).toEqual([...names].sort());
    expect(sources.match(/getConfiguration\(/g)).toHaveLength(1);
  });

  it("have the defaults of the code", () => {
    expect(parseModelSettings(manifestDefault)).toEqual(parseModelSettings(() => undefined));
    expect(parseServerSettings(manifestDefault)).toEqual(parseServerSettings(() => undefined));
    expect(parseModelSettings(manifestDefault).recipe).toEqual(defaultRecipe);
  });

  it("have a type, a description and a scope; ranges are those of the protocol", () => {
    for (const [key, setting] of Object.entries(properties)) {
      expect(setting.markdownDescription, key).toBe(`%setting.${key.slice(prefix.length)}%`);
      expect(setting.scope, key).toMatch(/^(resource|window|machine|machine-overridable)$/);
      expect(setting.default, key).toBeDefined();
    }
    // A criterion that reads a file needs a recipe that names one, which no setting does.
    const choices = criteria.filter(({ needs }) => needs.file !== true).map(({ id }) => id);
    expect([...(properties["prunescope.criterion"]?.enum ?? [])].sort()).toEqual(choices.sort());
    expect(properties["prunescope.dynamicAxes"]?.additionalProperties?.maximum).toBe(maxAxisLength);
    expect(properties["prunescope.seed"]?.maximum).toBe(0xffffffff);
    // It names code that is run: no folder may set it.
    expect(properties["prunescope.tfjsNode.path"]?.scope).toBe("machine");
  });
});

describe("strings", () => {
  const strings = JSON.parse(text("package.nls.json")) as Record<string, string>;

  it("exist and are used, each of them", () => {
    expect(matches(text("package.json"), /"%([\w.]+)%"/g)).toEqual(Object.keys(strings).sort());
  });

  it("link to commands that exist", () => {
    const declared = contributes.commands.map(({ command }) => command);
    for (const command of matches(Object.values(strings).join("\n"), /\(command:([\w.]+)\)/g)) {
      expect(declared).toContain(command);
    }
  });

  it("need no bundle while all of them are English", () => {
    expect(manifest.l10n).toBeUndefined();
  });
});

describe("the extension", () => {
  it("opens *.onnx in the editor that the code registers, and offers it for what may be a TensorFlow.js model", () => {
    expect(contributes.customEditors).toEqual([
      {
        viewType,
        displayName: "%editor%",
        selector: [{ filenamePattern: "*.onnx" }],
        priority: "default",
      },
      {
        viewType: tfjsViewType,
        displayName: "%editor%",
        selector: [{ filenamePattern: "*model*.json" }],
        priority: "option",
      },
    ]);
    expect(viewType).toBe("prunescope.model");
    expect(tfjsViewType).toBe("prunescope.tfjsModel");
  });

  it("is activated by its editors and commands, which VS Code derives from what it contributes, and by JSON", () => {
    // The line above a model.json has to come from somewhere; what that costs is held in test/editor.
    expect(manifest.activationEvents).toEqual(["onLanguage:json"]);
    expect(manifest.main).toBe("./dist/extension.js");
  });

  it("says where it works", () => {
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe("limited");
    expect(manifest.capabilities.virtualWorkspaces.supported).toBe(false);
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations ?? [];
    for (const key of restricted) expect(Object.keys(contributes.configuration.properties)).toContain(key);
  });

  it("names files that exist", () => {
    const media = contributes.walkthroughs.flatMap(({ steps }) => steps.map((step) => step.media.svg));
    expect(media).toHaveLength(3);
    for (const path of [manifest.icon, ...media]) expect(existsSync(join(root, path)), path).toBe(true);
    const icon = readFileSync(join(root, manifest.icon));
    expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([256, 256]);
  });
});
