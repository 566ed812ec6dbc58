/** SARIF of made-up findings: hostile names, paths in and outside of the folder, fingerprints that stay. */
import { describe, expect, it } from "vitest";
import { type Finding, findingRules } from "../../server/protocol/findings.js";
import { sarifText } from "../../server/src/analysis/report-sarif.js";
import { sarifLog } from "../support/sarif.js";
import { hostileNames } from "../support/models.js";

const finding = (path: string, layer: string, rule: Finding["rule"] = "collapsed-layer"): Finding => ({
  rule,
  path,
  layer,
  message: `Layer "${layer}" is gone.`,
});

describe("sarifText", () => {
  it("is a log without findings", () => {
    const [run] = sarifLog(sarifText([], [], "/work space")).runs;
    expect(run!.results).toEqual([]);
    expect(run!.tool.driver.rules!.map(({ id }) => id)).toEqual(findingRules.map(({ id }) => id));
  });

  it("names files relative to the folder, in percent code, and others by a URL", () => {
    const paths = ["/home/me/a b/ü#?%.onnx", "/home/me/x.onnx", "/home/other/x.onnx", "/home/me2/x.onnx"];
    const log = sarifLog(
      sarifText(
        paths.map((path) => finding(path, "w")),
        [],
        "/home/me",
      ),
    );
    expect(log.runs[0]!.results!.map((one) => one.locations![0]!.physicalLocation!.artifactLocation)).toEqual([
      { uri: "a%20b/%C3%BC%23%3F%25.onnx", uriBaseId: "%SRCROOT%" },
      { uri: "x.onnx", uriBaseId: "%SRCROOT%" },
      { uri: "file:///home/other/x.onnx" },
      { uri: "file:///home/me2/x.onnx" },
    ]);
  });

  it("carries any name of a layer", () => {
    const names = Object.values(hostileNames);
    const log = sarifLog(
      sarifText(
        names.map((name) => finding("/m/x.onnx", name)),
        [],
        "/m",
      ),
    );
    expect(log.runs[0]!.results!.map((one) => one.locations![0]!.logicalLocations![0]!.name)).toEqual(names);
  });

  it("has fingerprints that depend on file, layer and rule, and not on the place of the folder", () => {
    const print = (one: Finding, folder: string): unknown =>
      sarifLog(sarifText([one], [], folder)).runs[0]!.results![0]!.partialFingerprints;
    const here = print(finding("/a/m/x.onnx", "w"), "/a");
    expect(print(finding("/b/m/x.onnx", "w"), "/b")).toEqual(here);
    const others = [
      finding("/a/m/y.onnx", "w"),
      finding("/a/m/x.onnx", "v"),
      finding("/a/m/x.onnx", "w", "high-risk-layer"),
    ];
    for (const other of others) expect(print(other, "/a")).not.toEqual(here);
  });

  it("tells of models that failed", () => {
    const error = { code: "malformed-model", message: "It is a text.", about: {} } as const;
    const [run] = sarifLog(sarifText([], [{ path: "/m/bad.onnx", error }], "/m")).runs;
    expect(run!.invocations![0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ descriptor: { id: "malformed-model" }, message: { text: "It is a text." } }],
    });
  });
});
