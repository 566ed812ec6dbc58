/** What the job `open` says of the criteria. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CriterionView } from "../../server/protocol/model.js";
import { open } from "../../server/src/analysis/open.js";
import { criteria } from "../../server/src/criteria/index.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, model, node, type TestModel, value, weight } from "../support/models.js";

let folder = new ModelFolder();
beforeEach(() => {
  folder = new ModelFolder();
});
afterEach(() => {
  folder.dispose();
});

async function criteriaOf(made: TestModel): Promise<readonly CriterionView[]> {
  const path = folder.write("model.onnx", made);
  return (await open({ uri: path, path, dynamicAxes: {} }, quietContext())).criteria;
}

const needsFile = "It takes its scores from a file: prune or analyse with --scores FILE.npz on the command line.";

describe("criteria of a model", () => {
  it("are all there, with what the view has to ask for", async () => {
    const views = await criteriaOf(convNet());
    expect(views.map(({ id }) => id)).toEqual(criteria.map(({ id }) => id));
    const absent = views.filter(({ unavailable }) => unavailable !== undefined);
    expect(absent).toEqual([expect.objectContaining({ id: "imported", unavailable: needsFile })]);
    const of = (id: string): CriterionView | undefined => views.find((view) => view.id === id);
    expect(of("snip")).toMatchObject({ needsData: true, rounds: 1, signed: false });
    expect(of("grasp")).toMatchObject({ needsData: true, rounds: 1, signed: true });
    expect(of("synflow")).toMatchObject({ needsData: false, rounds: 200, signed: false });
  });

  it("say why they cannot run, each by what it needs", async () => {
    const mish = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["h"]), node("Mish", ["h"], ["y"])],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", [2, 8])],
        initializers: [weight("w", [6, 8], 1)],
      },
    });
    const reasons = new Map((await criteriaOf(mish)).map(({ id, unavailable }) => [id, unavailable]));
    const cut = "Every layer is cut off from the outputs by operators without a gradient here: Mish.";
    expect(Object.fromEntries(reasons)).toEqual({
      magnitude: undefined,
      random: undefined,
      snip: cut,
      grasp: cut,
      taylor: cut,
      synflow: undefined,
      imported: needsFile,
    });
  });
});
