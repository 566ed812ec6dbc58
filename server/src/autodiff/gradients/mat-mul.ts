/**
 * MatMul and ONNX Runtime's FusedMatMul: y = α · op(A) op(B) over the last two axes, the axes before them broadcast.
 * dA = dY Bᵀ and dB = Aᵀ dY, summed over broadcast axes; a vector is a matrix with one row (left) or column (right).
 */
import type { Value } from "../../graph/builder.js";
import { elementCount } from "../../graph/tensor.js";
import { unbroadcast } from "../cotangents.js";
import { type GradientRule, NoGradient, type Site } from "../rule.js";

/** A factor as a stack of matrices. */
interface Factor {
  readonly value: Value;
  readonly shape: readonly number[];
  readonly transposed: boolean;
}

function pullback(site: Site): readonly (() => Value)[] {
  const { b } = site;
  if (site.int("transBatchA", 0) + site.int("transBatchB", 0) > 0) throw new NoGradient("it transposes its batch axes");
  const alpha = site.float("alpha", 1);
  const a = matrixOf(site, 0);
  const c = matrixOf(site, 1);
  const rows = a.shape.at(a.transposed ? -1 : -2)!;
  const columns = c.shape.at(c.transposed ? -2 : -1)!;
  const stack = broadcast(a.shape.slice(0, -2), c.shape.slice(0, -2));
  const reduction = a.shape.at(a.transposed ? -2 : -1)!;
  const whole = [...stack, rows, columns];
  const dy = (): Value => {
    const vector = site.inputShape(0).length === 1 || site.inputShape(1).length === 1;
    return vector ? b.reshape(site.dy, whole) : site.dy;
  };
  /** The product as it comes out, in the shape of the input it belongs to. */
  const finish = (value: Value, matrix: readonly number[], factor: Factor, input: number): Value => {
    const from = [...stack, ...matrix];
    const summed = unbroadcast(b, value, from, factor.shape);
    return site.inputShape(input).length === 1 ? b.reshape(summed, site.inputShape(input)) : summed;
  };
  return [
    () => {
      const value = a.transposed
        ? b.matMul(c.value, dy(), { transA: c.transposed, transB: true, alpha })
        : b.matMul(dy(), c.value, { transB: !c.transposed, alpha });
      return finish(value, a.transposed ? [reduction, rows] : [rows, reduction], a, 0);
    },
    () => {
      // A right factor without a stack: sum over the stack inside one product, not after it.
      if (c.shape.length === 2 && !c.transposed && !a.transposed && a.shape.length > 2) {
        const tall = elementCount(stack) * rows;
        const left = b.reshape(a.value, [tall, reduction]);
        const right = b.reshape(dy(), [tall, columns]);
        const product = b.op("Gemm", [left, right], { transA: 1, alpha: { float: alpha } });
        return site.inputShape(1).length === 1 ? b.reshape(product, site.inputShape(1)) : product;
      }
      const value = c.transposed
        ? b.matMul(dy(), a.value, { transA: true, transB: a.transposed, alpha })
        : b.matMul(a.value, dy(), { transA: !a.transposed, alpha });
      return finish(value, c.transposed ? [columns, reduction] : [reduction, columns], c, 1);
    },
  ];
}

function matrixOf(site: Site, i: number): Factor {
  const shape = site.inputShape(i);
  const transposed = site.int(i === 0 ? "transA" : "transB", 0) !== 0 && shape.length > 1;
  if (shape.length > 1) return { value: site.input(i), shape, transposed };
  const matrix = i === 0 ? [1, ...shape] : [...shape, 1];
  return { value: site.b.reshape(site.input(i), matrix), shape: matrix, transposed: false };
}

/** Shape that two shapes are broadcast to. */
function broadcast(a: readonly number[], c: readonly number[]): number[] {
  const rank = Math.max(a.length, c.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = c[i - rank + c.length] ?? 1;
    return left === 1 ? right : left;
  });
}

export const matMul: GradientRule = { op: "MatMul", pullback };

export const fusedMatMul: GradientRule = { op: "com.microsoft.FusedMatMul", pullback };
