import { describe, expect, it } from "vitest";
import { rowAfterKey, rowHeight, rowWindow, scrollTo } from "../../webview/src/table/window.js";
import { columnIds, firstDirection, orderLayers, type Sort } from "../../webview/src/state/layer-order.js";
import { columns } from "../../webview/src/table/columns.js";
import { fakeModel } from "./fake-model.js";

const { model } = fakeModel({ layers: 30 });
const byDepth: Sort = { column: "depth", descending: false };
const order = (filter: string, sort = byDepth, value: (l: number) => number | string | null = (l) => l): number[] =>
  orderLayers(model.layers, filter, sort, value);

describe("filter", () => {
  it("finds text in name, operator, weight and id, in any case", () => {
    expect(order("GEMM")).toEqual([6, 13, 20, 27]);
    expect(order("stage2.block1")).toEqual([6]);
    expect(order("/stage2/BLOCK1/")).toEqual([6]);
  });

  it("wants every word and takes text as text", () => {
    expect(order("gemm stage1")).toEqual([]);
    expect(order("gemm stage2")).toEqual([6]);
    expect(order(".*")).toEqual([]);
    expect(order("  ")).toHaveLength(30);
  });
});

describe("sort", () => {
  it("is stable, and turns round without turning equals round", () => {
    const value = (l: number): number => l % 3;
    const up = order("", { column: "kept", descending: false }, value);
    const down = order("", { column: "kept", descending: true }, value);
    for (const rows of [up, down]) {
      for (const group of [0, 1, 2]) {
        const same = rows.filter((l) => l % 3 === group);
        expect(same).toEqual([...same].sort((a, b) => a - b));
      }
    }
    expect(up[0]! % 3).toBe(0);
    expect(down[0]! % 3).toBe(2);
  });

  it("puts what is unknown last in both directions", () => {
    const value = (l: number): number | null => (l < 5 ? null : l);
    for (const descending of [false, true]) {
      expect(order("", { column: "critical", descending }, value).slice(-5)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it("compares names as people count", () => {
    const names = ["conv10", "conv9", "Conv2"];
    const rows = orderLayers(model.layers.slice(0, 3), "", { column: "weight", descending: false }, (l) => names[l]!);
    expect(rows).toEqual([2, 1, 0]);
  });

  it("knows every column, once, in the order of the table", () => {
    expect(columns.map(({ id }) => id)).toEqual([...columnIds]);
    expect(firstDirection("parameters")).toBe(true);
    expect(firstDirection("weight")).toBe(false);
  });
});

describe("window of rows", () => {
  it("covers what is in view and never more than there is", () => {
    for (const count of [0, 1, 20, 5000]) {
      for (const top of [0, 7, 999, count * rowHeight]) {
        const { first, size } = rowWindow(count, top, 400);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(first + size).toBeLessThanOrEqual(count);
        const lastInView = Math.min(
          count,
          Math.ceil((Math.min(top, Math.max(0, count * rowHeight - 400)) + 400) / rowHeight),
        );
        expect(first + size).toBeGreaterThanOrEqual(lastInView);
        expect(size).toBeLessThan(30);
      }
    }
  });

  it("scrolls only as far as it must", () => {
    expect(scrollTo(3, 0, 240)).toBe(0);
    expect(scrollTo(10, 0, 240)).toBe(rowHeight);
    expect(scrollTo(2, 480, 240)).toBe(2 * rowHeight);
  });

  it("moves by keys and stops at the ends", () => {
    expect(rowAfterKey("ArrowDown", -1, 5, 240)).toBe(0);
    expect(rowAfterKey("ArrowDown", 4, 5, 240)).toBe(4);
    expect(rowAfterKey("ArrowUp", 0, 5, 240)).toBe(0);
    expect(rowAfterKey("End", 0, 5000, 240)).toBe(4999);
    expect(rowAfterKey("Home", 77, 5000, 240)).toBe(0);
    expect(rowAfterKey("PageDown", 10, 5000, 240)).toBe(19);
    expect(rowAfterKey("PageUp", 10, 5000, 240)).toBe(1);
    expect(rowAfterKey("x", 10, 5000, 240)).toBeNull();
    expect(rowAfterKey("ArrowDown", -1, 0, 240)).toBeNull();
  });
});
