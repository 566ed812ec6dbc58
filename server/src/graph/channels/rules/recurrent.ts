/**
 * Recurrent layers: a unit of the state is one row in every gate of W, R, both biases and the peepholes, one column of R,
 * and one position of all states. Both directions get the same order, since their outputs share an axis.
 */
import { intAttribute } from "../../graph.js";
import { type Axis, isDependent } from "../axes.js";
import { type ChannelRule, unfitting } from "../rule.js";

/** Gates, by operator. */
const gates: Readonly<Record<string, number>> = { GRU: 3, LSTM: 4, RNN: 1 };

export const recurrent: ChannelRule = {
  operators: ["GRU", "LSTM", "RNN"],
  apply: (site) => {
    const [x, w, r] = [site.shape(0), site.shape(1), site.shape(2)];
    const hidden = r?.[2];
    const count = gates[site.node.op]!;
    if (x?.length !== 3 || w?.length !== 3 || r?.length !== 3 || hidden === undefined) return unfitting;
    if (w[1] !== count * hidden || r[1] !== count * hidden || x[2] !== w[2]) return unfitting;
    site.join(site.take(0, 2), site.take(1, 2));
    const state = site.take(2, 2);
    if (isDependent(state)) return unfitting;
    const rows = (times: number): Axis => (state === null ? null : Array.from({ length: times }, () => state).flat());
    site.join(rows(count), site.take(1, 1));
    site.join(rows(count), site.take(2, 1));
    // Biases of W and of R, one behind the other; initial states; peepholes of three gates.
    if (site.has(3)) site.join(rows(2 * count), site.take(3, 1));
    for (const input of [5, 6]) if (site.has(input)) site.join(state, site.take(input, 2));
    if (site.has(7)) site.join(rows(3), site.take(7, 1));
    for (const [output, name] of site.node.outputs.entries()) {
      const rank = site.outputShape(output)?.length;
      if (name === "") continue;
      if (rank === undefined || intAttribute(site.node, "hidden_size", hidden) !== hidden) return unfitting;
      site.give(output, [...Array.from({ length: rank - 1 }, () => null), state]);
    }
    return null;
  },
};
