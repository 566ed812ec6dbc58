/** Parameters of a lowered model are those of its manifest: constants that lowering adds are none. */
import { mkdirSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { ModelFolder } from "../../support/model-folder.js";
import { writeNsfwMobileNet } from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

it("counts what the manifest holds, not the bounds of ReLU6", async () => {
  mkdirSync(folder.file("mobilenet"));
  const path = writeNsfwMobileNet(folder.file("mobilenet"));
  await withModel(path, ({ search, source }) => {
    // Every weight is one byte of a code.
    expect(search.parameters).toBe(source.size() - source.size(source.main));
    return Promise.resolve();
  });
});
