/**
 * Where: a condition that is fixed chooses as it does in the model; one that the data decides averages the paths, and a
 * constant path is 0. Softmax averages uniformly, except where it makes the outputs: there the logits pass.
 */
import { castTo } from "../../../graph/literal.js";
import { fitted } from "../fitted.js";
import { type LinearRule, NoLinearForm } from "../rule.js";

const where: LinearRule = {
  op: "Where",
  images: (site) => {
    const { b, exponents } = site;
    const condition = site.image(0);
    const signals = [1, 2].filter((i) => site.image(i)?.kind === "signal");
    if (signals.length === 0) throw new NoLinearForm("the data decides between constants");
    const { values, exponent, loose } = exponents.aligned(signals.map((i) => site.signal(i)));
    if (condition?.kind === "known") {
      const branch = (i: number): string => values[signals.indexOf(i)] ?? b.scalar(0);
      const chosen = b.where(condition.value, branch(1), branch(2));
      return [{ kind: "signal", value: b.expand(chosen, site.outputShape()), exponent, loose, bounds: null }];
    }
    if (signals.length === 1) return [{ ...fitted(site, signals[0]!), bounds: null }];
    const average = b.scale(b.add(values[0]!, values[1]!), 0.5);
    return [{ kind: "signal", value: b.expand(average, site.outputShape()), exponent, loose, bounds: null }];
  },
};

const softmax: LinearRule = {
  op: "Softmax",
  images: (site) => {
    if (site.isFinal) return [{ ...site.signal(0), bounds: null }];
    const { b } = site;
    const shape = site.outputShape();
    const axis = site.int("axis", -1);
    const length = shape.at(axis)!;
    site.holdConstant(0, "the weights of an average, which SynFlow takes as equal");
    const uniform = b.cast(b.expand(b.scalar(1 / length), shape), castTo(site.outputType()));
    // Under the name that it has in the model, so that what is computed from it stays as it is.
    const value = site.node.outputs[0]!;
    b.node({ name: value, op: "Identity", domain: "", inputs: [uniform], outputs: [value], attributes: new Map() });
    return [{ kind: "known", value, nonNegative: true }];
  },
};

export const choices: readonly LinearRule[] = [where, softmax];
