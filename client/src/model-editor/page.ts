/**
 * The HTML page that the results view and the comparison of two models live in. Scripts and styles are allowed by nonce or from our own folders only;
 * nothing that comes from a model is ever written into the page.
 */

export interface PageParts {
  /** `webview.cspSource`. */
  readonly cspSource: string;
  /** A fresh random value for each page. */
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly title: string;
  /** Which page the script makes. */
  readonly view: "comparison" | "model";
  /** Language of the view's own words. */
  readonly language: string;
}

/** The policy of the page: everything that is not named is refused. */
export function contentSecurityPolicy({ cspSource, nonce }: Pick<PageParts, "cspSource" | "nonce">): string {
  return [
    "default-src 'none'",
    `img-src ${cspSource} data:`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `font-src ${cspSource}`,
  ].join("; ");
}

/** The whole page. */
export function pageHtml(parts: PageParts): string {
  const nonce = escapeHtml(parts.nonce);
  return `<!DOCTYPE html>
<html lang="${escapeHtml(parts.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(contentSecurityPolicy(parts))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<link rel="stylesheet" href="${escapeHtml(parts.styleUri)}">
<title>${escapeHtml(parts.title)}</title>
</head>
<body>
<main id="app" data-view="${parts.view}"></main>
<script nonce="${nonce}" src="${escapeHtml(parts.scriptUri)}"></script>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
