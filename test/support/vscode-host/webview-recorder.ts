// What goes wrong inside webviews, recorded in the page itself: errors written to the console, errors nobody
// caught, and violations of the content security policy. `recordProblems` is sent to the browser as source,
// so it must not use anything from outside itself.

/** Something that went wrong inside a webview. */
export interface WebviewProblem {
  readonly kind: "console" | "error" | "csp";
  readonly text: string;
  /** For `csp`: the directive that was violated, such as `script-src-elem`. */
  readonly directive?: string;
  /** For `csp`: what was blocked, an address or `inline` or `eval`. */
  readonly blocked?: string;
}

/** The name of the function that the recorder calls in the page, once per problem. */
export const REPORT = "prunescopeReportWebviewProblem";

/**
 * Runs in every frame before its first script; reports from webviews only.
 *
 * A webview's frame is blank when this runs, and VS Code then writes the extension's HTML into it through
 * `document.open`: so whether it is a webview is asked when there is something to report, and the listeners,
 * which `document.open` removes, are put back after each one.
 */
export function recordProblems(report: string): void {
  if (window === window.top) return;
  const send = (problem: WebviewProblem) => {
    if (!location.pathname.includes("/contrib/webview/browser/pre/")) return;
    (window as unknown as Record<string, (problem: WebviewProblem) => void>)[report]?.(problem);
  };
  const describe = (value: unknown) => (value instanceof Error ? (value.stack ?? value.message) : String(value));

  const onViolation = (event: SecurityPolicyViolationEvent) => {
    const { effectiveDirective: directive, blockedURI: blocked, sourceFile, lineNumber, sample } = event;
    send({
      kind: "csp",
      directive,
      blocked,
      text: `${directive} blocked ${blocked} at ${sourceFile}:${lineNumber} ${sample}`.trim(),
    });
  };
  const onError = (event: ErrorEvent) => {
    send({ kind: "error", text: describe(event.error ?? event.message) });
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    send({ kind: "error", text: describe(event.reason) });
  };
  const listen = () => {
    window.addEventListener("securitypolicyviolation", onViolation);
    window.addEventListener("error", onError);
    window.addEventListener("unhandledrejection", onRejection);
  };
  listen();

  const open = Reflect.get(Document.prototype, "open") as (...args: unknown[]) => unknown;
  Reflect.set(Document.prototype, "open", function (this: Document, ...args: unknown[]) {
    const opened = open.apply(this, args);
    listen();
    return opened;
  });
  const consoleError = console.error.bind(console);
  console.error = (...args: unknown[]) => {
    send({ kind: "console", text: args.map(describe).join(" ") });
    consoleError(...args);
  };
}
