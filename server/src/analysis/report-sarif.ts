/**
 * Findings as SARIF 2.1.0 (OASIS, 27 March 2020) for code scanning. A model has no lines: results name the file's first
 * line, which scanners ask for, and the layer as a logical location; fingerprints tell layers of one file apart.
 */
import { createHash } from "node:crypto";
import { isAbsolute, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { ArtifactLocation, Invocation, Log, ReportingDescriptor, Result } from "sarif";
import { describeError, type ErrorData } from "../../protocol/errors.js";
import { type Finding, findingRules, ruleOf } from "../../protocol/findings.js";
import { version } from "../version.js";

/** A model that could not be looked at. */
export interface FailedModel {
  readonly path: string;
  readonly error: ErrorData;
}

/** The log of one run, indented. @param folder to which paths are made relative: the root of the repository. */
export function sarifText(findings: readonly Finding[], failed: readonly FailedModel[], folder: string): string {
  return `${JSON.stringify(sarifLog(findings, failed, folder), null, 2)}\n`;
}

function sarifLog(findings: readonly Finding[], failed: readonly FailedModel[], folder: string): Log {
  const invocation: Invocation = {
    executionSuccessful: failed.length === 0,
    toolExecutionNotifications: failed.map(({ path, error }) => ({
      descriptor: { id: error.code },
      level: "error",
      message: { text: describeError(error) },
      locations: [{ physicalLocation: { artifactLocation: artifact(path, folder) } }],
    })),
  };
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "PruneScope", semanticVersion: version, rules: findingRules.map(descriptor) } },
        invocations: [invocation],
        results: findings.map((finding) => result(finding, folder)),
        columnKind: "utf16CodeUnits",
      },
    ],
  };
}

function descriptor({ id, level, title, summary, help }: (typeof findingRules)[number]): ReportingDescriptor {
  return {
    id,
    name: id.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${title}.` },
    fullDescription: { text: summary },
    help: { text: help },
    defaultConfiguration: { level },
  };
}

function result({ rule, path, layer, message }: Finding, folder: string): Result {
  const location = artifact(path, folder);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([rule, location.uri, layer]))
    .digest("hex")
    .slice(0, 16);
  return {
    ruleId: rule,
    ruleIndex: findingRules.findIndex(({ id }) => id === rule),
    level: ruleOf(rule).level,
    message: { text: message },
    locations: [
      {
        physicalLocation: { artifactLocation: location, region: { startLine: 1 } },
        logicalLocations: [{ name: layer, fullyQualifiedName: layer, kind: "layer" }],
      },
    ],
    // The first is the one that GitHub compares; it would else be made of the line, which all layers share.
    partialFingerprints: { primaryLocationLineHash: `${fingerprint}:1`, "prunescopeLayer/v1": fingerprint },
  };
}

/** Where a file is: relative to `folder` where it lies inside, percent-encoded. */
function artifact(path: string, folder: string): ArtifactLocation {
  const inside = relative(folder, path);
  if (inside === "" || isAbsolute(inside) || inside.split(sep)[0] === "..") return { uri: pathToFileURL(path).href };
  return { uri: inside.split(sep).map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}
