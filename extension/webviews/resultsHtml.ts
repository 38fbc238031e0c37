import { randomBytes } from "node:crypto";
import { Uri, type Webview } from "vscode";
import type { ResultsView } from "./resultsProtocol";

/** What the page begins with. */
export interface ResultsPage {
  jobId: string;
  view: ResultsView;
}

/**
 * The page of the results panel. Nothing may be loaded but the one script with this page's nonce and
 * the extension's own stylesheet; no inline styles, so that output of hosts cannot bring any.
 */
export function resultsHtml(
  webview: Webview,
  extensionUri: Uri,
  { jobId, view }: ResultsPage,
): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (name: string): string =>
    webview.asWebviewUri(Uri.joinPath(extensionUri, "dist", "webview", name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
  ].join("; ");
  // what commands of the context menu get as their argument
  const context = escapeAttribute(JSON.stringify({ funcJob: jobId }));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeAttribute(file("results.css"))}">
<title>Results</title>
</head>
<body data-job-id="${escapeAttribute(jobId)}" data-view="${view}" data-vscode-context="${context}">
<main id="results"></main>
<script type="module" nonce="${nonce}" src="${escapeAttribute(file("results.js"))}"></script>
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
