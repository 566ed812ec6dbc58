// What comes from a model or a file name cannot become a link in a notification.

import { describe, expect, it } from "vitest";
import { plainText } from "../../client/src/plain-text.js";

// How VS Code finds links in notifications (src/vs/base/common/linkedText.ts).
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

describe("plainText", () => {
  it.each([
    "[x](command:workbench.action.quit)",
    "a [x](https://example.com) b",
    "[x]\n(command:a)",
    "[x]\u200b(command:a)",
    "[x]\u2066(command:a)",
    "[x](file:///etc/passwd 'title')",
  ])("makes no link of %j", (text) => {
    expect(plainText(text)).not.toMatch(link);
  });

  it("keeps ordinary sentences as they are", () => {
    expect(plainText("Layer “a[0](b)” — 3 weights")).toBe("Layer “a[0] (b)” — 3 weights");
    expect(plainText("größe/重み.onnx: 5 < 6 & 7")).toBe("größe/重み.onnx: 5 < 6 & 7");
  });

  it("is one line without control characters or changes of direction", () => {
    expect(plainText("a\r\n\tb\u0000c\u2028d")).toBe("a b c d");
    expect(plainText("exe.\u202exnno")).toBe("exe.xnno");
  });

  it("cuts what is long", () => {
    const cut = plainText("x".repeat(10_000));
    expect(cut).toHaveLength(400);
    expect(cut.endsWith("…")).toBe(true);
  });
});
