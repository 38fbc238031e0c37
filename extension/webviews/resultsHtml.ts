import type { Uri, Webview } from "vscode";
import type { ResultsView } from "./resultsProtocol";
import { strictPage } from "./strictPage";

/** What the page begins with. */
export interface ResultsPage {
  jobId: string;
  view: ResultsView;
}

/** The page of the results panel. */
export function resultsHtml(
  webview: Webview,
  extensionUri: Uri,
  { jobId, view }: ResultsPage,
): string {
  // what commands of the context menu get as their argument
  const context = JSON.stringify({ funcJob: jobId });
  return strictPage(webview, extensionUri, {
    name: "results",
    title: "Results",
    data: { "job-id": jobId, view, "vscode-context": context },
  });
}
