/** What the SARIF 2.1.0 schema requires of the parts that we write, and what code scanning asks for besides. */
import { expect } from "vitest";
import type { Log } from "sarif";

/** Parses a log and holds it against the requirements. */
export function sarifLog(text: string): Log {
  const log = JSON.parse(text) as Log;
  expect(log.version).toBe("2.1.0");
  expect(log.$schema).toMatch(/^https:\/\/.*sarif-2\.1\.0/);
  expect(log.runs).toHaveLength(1);
  for (const run of log.runs) {
    const { driver } = run.tool;
    expect(driver.name.length).toBeGreaterThan(0);
    const rules = driver.rules!;
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const { id, shortDescription, fullDescription, help, defaultConfiguration } of rules) {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
      for (const words of [shortDescription, fullDescription, help]) expect(words!.text).toMatch(/\S.*\.$/s);
      expect(["none", "note", "warning", "error"]).toContain(defaultConfiguration!.level);
    }
    for (const { executionSuccessful, toolExecutionNotifications = [] } of run.invocations!) {
      expect(executionSuccessful).toBe(toolExecutionNotifications.length === 0);
      for (const { message, level } of toolExecutionNotifications) {
        expect(message.text).toMatch(/\S/);
        expect(level).toBe("error");
      }
    }
    for (const result of run.results!) {
      expect(rules[result.ruleIndex!]!.id).toBe(result.ruleId);
      expect(result.level).toBe(rules[result.ruleIndex!]!.defaultConfiguration!.level);
      expect(result.message.text).toMatch(/\S.*\.$/s);
      expect(result.locations).toHaveLength(1);
      const { physicalLocation, logicalLocations } = result.locations![0]!;
      const { uri, uriBaseId } = physicalLocation!.artifactLocation!;
      // RFC 3986: nothing that is not a URI character, and relative unless it has a scheme.
      expect(uri).toMatch(/^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/);
      expect(uri).not.toMatch(/%(?![0-9A-F]{2})|^\/|(?:^|\/)\.\.?(?:\/|$)/);
      expect(uriBaseId === undefined).toBe(uri!.startsWith("file:///"));
      expect(physicalLocation!.region!.startLine).toBeGreaterThanOrEqual(1);
      expect(logicalLocations![0]!.name).toMatch(/\S/);
      for (const [name, print] of Object.entries(result.partialFingerprints!)) {
        expect(name).toMatch(/^[A-Za-z][\w/]*$/);
        expect(print).toMatch(/^[0-9a-f]{16}(?::1)?$/);
      }
    }
    const prints = run.results!.map(({ partialFingerprints }) => partialFingerprints!["primaryLocationLineHash"]);
    expect(new Set(prints).size).toBe(prints.length);
  }
  return log;
}
