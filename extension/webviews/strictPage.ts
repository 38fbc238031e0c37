import { randomBytes } from "node:crypto";
import { Uri, type Webview } from "vscode";

/** A page of one script and one stylesheet of ours. */
export interface StrictPage {
  /** Of both files in dist/webview, and the id of the element that the script fills. */
  name: string;
  title: string;
  /** Attributes of the body. */
  data?: { [attribute: string]: string };
}

/**
 * The page of a panel. Nothing may be loaded but the one script with this page's nonce and the extension's own
 * stylesheet; no inline styles, so that output of hosts cannot bring any.
 */
export function strictPage(
  webview: Webview,
  extensionUri: Uri,
  { name, title, data = {} }: StrictPage,
): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (extension: string): string =>
    escapeAttribute(
      webview
        .asWebviewUri(Uri.joinPath(extensionUri, "dist", "webview", `${name}.${extension}`))
        .toString(),
    );
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
  ].join("; ");
  const attributes = Object.entries(data)
    .map(([attribute, value]) => ` data-${attribute}="${escapeAttribute(value)}"`)
    .join("");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${file("css")}">
<title>${title}</title>
</head>
<body${attributes}>
<main id="${name}"></main>
<script type="module" nonce="${nonce}" src="${file("js")}"></script>
</body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
