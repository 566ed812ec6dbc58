/** Shards that are missing, lie elsewhere, or have another length than the manifest says. */
import { type BadTfjs, group, layers, set } from "./sound-parts.js";

const urls = [
  "https://example.com/w.bin",
  "data:application/octet-stream;base64,AA==",
  "file:///etc/passwd",
  "indexeddb://m",
];

export const badShards: readonly BadTfjs[] = [
  {
    name: "a shard that is missing",
    files: () => group({ paths: ["ghost.bin"] }),
    code: "missing-data",
    words: /"ghost.bin" of group 0 of the weights manifest is not beside the model/,
  },
  ...["../w.bin", "sub/../../w.bin", "..\\w.bin", "/etc/passwd", "C:\\w.bin", "con", "w.bin\0", "", "w.bin "].map(
    (location) => ({
      name: `the path ${JSON.stringify(location)}`,
      files: () => group({ paths: [location] }),
      code: "unsafe-path" as const,
      words: /Group 0 of the weights manifest keeps its data in ".*", a path that/,
    }),
  ),
  ...urls.map((location) => ({
    name: `the URL ${location}`,
    files: () => group({ paths: [location] }),
    code: "unsafe-path" as const,
    words: /which is no file beside the model. Nothing is fetched/,
  })),
  {
    name: "a path that a browser would decode",
    files: () => group({ paths: ["%2e%2e/w.bin"] }),
    code: "missing-data",
    words: /is not beside the model/,
  },
  {
    name: "a link out of the folder",
    files: () => group({ paths: ["out.bin"] }, { "out.bin": { kind: "link", to: "/dev/zero" } }),
    code: "unsafe-path",
    words: /is a link out of the model's folder/,
  },
  {
    name: "a folder",
    files: () => group({ paths: ["part"] }, { part: { kind: "folder" } }),
    code: "malformed-model",
    words: /is not a regular file/,
  },
  {
    name: "a pipe",
    files: () => group({ paths: ["part"] }, { part: { kind: "pipe" } }),
    code: "malformed-model",
    words: /is not a regular file/,
  },
  {
    name: "a shard twice",
    files: () => group({ paths: ["w.bin", "./w.bin"] }, {}, 30),
    code: "malformed-model",
    words: /names "\.\/w\.bin", a file that the model has already/,
  },
  {
    name: "a shard under two names",
    files: () => group({ paths: ["w.bin", "v.bin"] }, { "v.bin": { kind: "link", to: "w.bin" } }, 30),
    code: "malformed-model",
    words: /names "v\.bin", a file that the model has already/,
  },
  {
    name: "a shard in two groups",
    files: () =>
      layers(
        ({ json, weights }) =>
          Object.assign(json, { weightsManifest: weights.map((one) => ({ paths: ["w.bin"], weights: [one] })) }),
        {},
        48,
      ),
    code: "malformed-model",
    words: /Group 1 of the weights manifest in .* names "w\.bin", a file that the model has already/,
  },
  {
    name: "model.json as a shard",
    files: () => group({ paths: ["w.bin", "model.json"] }),
    code: "malformed-model",
    words: /names "model\.json", a file that the model has already/,
  },
  {
    name: "a shard that is cut off",
    files: () => layers(() => undefined, {}, 59),
    code: "malformed-model",
    words: /has 59 bytes in its shards, and "d\/bias" would end at byte 60: a shard is cut off/,
  },
  {
    name: "a shard that is too long",
    files: () => layers(() => undefined, {}, 64),
    code: "malformed-model",
    words: /has 64 bytes in its shards, but its weights take 60/,
  },
  {
    name: "an empty shard",
    files: () => layers(() => undefined, {}, 0),
    code: "malformed-model",
    words: /has 0 bytes/,
  },
  ...(
    [
      ["no object", set("json", { weightsManifest: [5] }), /Group 0 of the weights manifest in .* is no object/],
      ["no paths", set("group", { paths: undefined }), /has no list of paths/],
      ["paths that are no texts", set("group", { paths: [null] }), /has no list of paths/],
      ["no weights", set("group", { weights: undefined }), /has no list of weights/],
      ["a weight that is null", set("group", { weights: [null] }), /a weight without a name/],
      ["weights without entries", set("group", { weights: [] }), /but its weights take 0/],
    ] as const
  ).map(([name, change, words]) => ({
    name: `a group with ${name}`,
    files: () => layers(change),
    code: "malformed-model" as const,
    words,
  })),
];
