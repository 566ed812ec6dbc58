/** What the tests run for the gradient rules, check by check: `docs/operators.md` is made from this list and no other. */
import { type GradientCase, usualOpset } from "./case.js";
import { gradientCases } from "./index.js";

export interface Check {
  /** As rules name it: the operator, with its domain in front when that is not ONNX's own. */
  readonly op: string;
  /** Operator set of ONNX that the case's model is of. */
  readonly opset: number;
  readonly order: 1 | 2;
  readonly one: GradientCase;
}

export const checks: readonly Check[] = gradientCases.flatMap((one) => {
  const { op, domain = "", opset = usualOpset } = one;
  const orders = one.order === 2 ? ([1, 2] as const) : ([1] as const);
  return orders.map((order) => ({ op: domain === "" ? op : `${domain}.${op}`, opset, order, one }));
});
