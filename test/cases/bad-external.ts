/**
 * External data that must not be followed, or that does not fit: what `external_data` says, what lies beside the model,
 * and the words that people must read. The tensor is `w`, [6, 6] float, 144 bytes.
 */
import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema, TensorProto_DataLocation } from "onnx-buf";
import { type TestModel, weight } from "../support/models.js";
import { broken } from "./bad-model.js";

export interface BadExternal {
  readonly name: string;
  readonly entries: Readonly<Record<string, string>>;
  readonly code: "malformed-model" | "missing-data" | "unsafe-path";
  readonly words: RegExp;
}

/** A model whose weight `w` has these `external_data` entries. */
export function withExternal(entries: Readonly<Record<string, string>>): TestModel {
  const w = weight("w", [6, 6], 1);
  w.rawData = new Uint8Array(0);
  w.dataLocation = TensorProto_DataLocation.EXTERNAL;
  w.externalData = Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  return broken({ initializers: [w] });
}

/** Locations that are refused by their wording, on every platform, and why. */
export const refusedLocations: readonly { readonly location: string; readonly reason: string }[] = [
  ...["", "\0"].map((location) => ({ location, reason: location === "" ? "is empty" : "holds a NUL character" })),
  { location: "w.bin\0.txt", reason: "holds a NUL character" },
  ...[
    "/etc/passwd",
    "/",
    "//server/share/w.bin",
    "\\w.bin",
    "\\\\server\\share\\w.bin",
    "\\\\?\\C:\\w.bin",
    "\\\\.\\pipe\\x",
  ].map((location) => ({ location, reason: "is absolute" })),
  ...["C:\\w.bin", "C:w.bin", "c:/w.bin", "file:///etc/passwd", "w.bin:stream", "w.bin::$DATA", "sub/w.bin:x"].map(
    (location) => ({
      location,
      reason: "holds a colon (a drive or a stream on Windows)",
    }),
  ),
  ...[
    "..",
    "../w.bin",
    "..\\w.bin",
    "sub/../../w.bin",
    "sub\\..\\..\\w.bin",
    "sub/..",
    "./..",
    ".. /w.bin",
    "... /w.bin",
    ".../w.bin",
    ".. ./w.bin",
  ].map((location) => ({ location, reason: 'leads out of the folder by ".."' })),
  ...[
    "CON",
    "con",
    "nul",
    "NUL.txt",
    "aux.bin",
    "PRN",
    "COM1",
    "com9.bin",
    "COM¹",
    "LPT1",
    "sub/con",
    "sub\\nul.bin",
    "nul ",
    "con .bin",
    "CONIN$",
    "conout$",
  ].map((location) => ({ location, reason: "names a Windows device" })),
  ...["w.bin.", "w.bin ", "sub./w.bin", "sub \\w.bin", "w.bin. .", " "].map((location) => ({
    location,
    reason: "ends a name with a dot or a space (Windows leaves them out, and finds another file)",
  })),
];

/** Locations that look odd and stay inside the folder. */
export const soundLocations: readonly string[] = [
  "w.bin",
  "./w.bin",
  "sub/w.bin",
  "a..b",
  "..w.bin",
  ".hidden",
  "console.bin",
  "com10",
  "auxiliary/w.bin",
  "w bin",
  "weights 100%.bin",
  "ä/重み.bin",
];

export const badExternals: readonly BadExternal[] = [
  {
    name: "no location",
    entries: { offset: "0" },
    code: "unsafe-path",
    words: /Tensor "w" keeps its data in "", a path that is empty/,
  },
  {
    name: "a file that is not there",
    entries: { location: "ghost.bin" },
    code: "missing-data",
    words: /"ghost.bin" of tensor "w" is not beside the model/,
  },
  {
    name: "a folder",
    entries: { location: "folder" },
    code: "malformed-model",
    words: /"folder" of tensor "w" is not a regular file/,
  },
  {
    name: "a pipe",
    entries: { location: "pipe" },
    code: "malformed-model",
    words: /"pipe" of tensor "w" is not a regular file/,
  },
  {
    name: "a file below a file",
    entries: { location: "w.bin/w.bin" },
    code: "missing-data",
    words: /is not beside the model/,
  },
  {
    name: "a link out of the folder",
    entries: { location: "escape.bin" },
    code: "unsafe-path",
    words: /"escape.bin" of tensor "w" is a link out of the model's folder/,
  },
  {
    name: "a file in a folder that is a link out",
    entries: { location: "away/outside.bin" },
    code: "unsafe-path",
    words: /is a link out of the model's folder/,
  },
  {
    name: "a link that leads nowhere",
    entries: { location: "dangling.bin" },
    code: "missing-data",
    words: /is not beside the model/,
  },
  {
    name: "an offset behind the end",
    entries: { location: "w.bin", offset: "57" },
    code: "malformed-model",
    words: /"w" reaches to byte 201 of .*w\.bin, which has only 200/,
  },
  {
    name: "a length behind the end",
    entries: { location: "short.bin" },
    code: "malformed-model",
    words: /reaches to byte 144 of .*short\.bin, which has only 100/,
  },
  {
    name: "a length that does not fit the shape",
    entries: { location: "w.bin", length: "140" },
    code: "malformed-model",
    words: /"w" of 36 float elements needs 144 bytes, but its external data has 140/,
  },
  ...["-1", "1e3", "0x10", "12abc", " 5", "5 ", "", "1.5", "NaN", "99999999999999999999", "９"].flatMap(
    (text): BadExternal[] => [
      {
        name: `the offset ${JSON.stringify(text)}`,
        entries: { location: "w.bin", offset: text },
        code: "malformed-model",
        words: /"w" has the external offset "/,
      },
      {
        name: `the length ${JSON.stringify(text)}`,
        entries: { location: "w.bin", length: text },
        code: "malformed-model",
        words: /"w" has the external length "/,
      },
    ],
  ),
  {
    name: "an offset at the end of what is exact",
    entries: { location: "w.bin", offset: "9007199254740991" },
    code: "malformed-model",
    words: /"w" reaches to byte/,
  },
];
