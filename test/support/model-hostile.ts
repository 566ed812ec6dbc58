/** Names that attack whoever shows them: each is text, and must arrive everywhere as nothing but text. */
import { namedMlp } from "./model-networks.js";
import type { TestModel } from "./model-builder.js";

/** Hostile names by what they attack. */
export const hostileNames = {
  bidi: "safe\u202egnp.exe\u202c\u2066hidden\u2069",
  command: "[x](command:workbench.action.quit)",
  control: "line\nbreak\ttab\u0007bell\u001b[31mred\u0085\u0000nul",
  long: "n".repeat(10_000),
  markdown: "**bold** `code` | cell <!-- -->",
  prototype: "__proto__",
  script: "</script><img src=x onerror=alert(1)>",
  separators: "before\u2028line\u2029paragraph",
  template: "${process.exit(1)} {{constructor.constructor('return 1')()}}",
} as const;

/** An MLP whose weights, nodes, metadata, producer and doc string carry {@link hostileNames}. It runs. */
export function hostileNamesModel({ seed = 1 } = {}): TestModel {
  const names = Object.values(hostileNames);
  return namedMlp(names, Array<number>(names.length + 1).fill(6), seed, {
    producer: hostileNames.script,
    docString: `${hostileNames.command} ${hostileNames.script}`,
    metadata: Object.fromEntries(Object.entries(hostileNames).map(([kind, name]) => [`${kind} ${name}`, name])),
  });
}

/** Operator names that every JavaScript object answers to. */
export const inheritedNames = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"] as const;
