/**
 * Registers the controls of the VS Code webview toolkit that the page uses. The toolkit reads the theme when a class of
 * the body changes; a saved report has no such classes, so the system's colour scheme is put there as one.
 */
import { provideVSCodeDesignSystem, vsCodeButton, vsCodeDropdown, vsCodeOption } from "@vscode/webview-ui-toolkit";

/** Defines the custom elements and keeps their colours in step with the page's. */
export function registerToolkit(window: Window): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeDropdown(), vsCodeOption());
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const show = (): void => {
    window.document.body.classList.toggle("scheme-dark", dark.matches);
  };
  show();
  dark.addEventListener("change", show);
}
