import { Uri, workspace, type Disposable } from "vscode";
import { resultDocument } from "../results/resultDetail";
import { errorText } from "../errors";
import type { OverlordSession } from "../overlordSession";

const SCHEME = "func-result";

/** One minion's result as a read-only document: to be searched, compared and saved elsewhere. */
export function resultUri(jobId: string, minion: string, call: string): Uri {
  // the path is the title of the tab
  const query = new URLSearchParams({ jobId, minion, call }).toString();
  return Uri.from({ scheme: SCHEME, path: `/${minion}.txt`, query });
}

/** Provides the documents of `resultUri`, read from the overlord. */
export function registerResultDocuments(session: OverlordSession): Disposable {
  return workspace.registerTextDocumentContentProvider(SCHEME, {
    async provideTextDocumentContent(uri) {
      const query = new URLSearchParams(uri.query);
      const jobId = query.get("jobId") ?? "";
      const minion = query.get("minion") ?? "";
      const [module, method] = splitCall(query.get("call") ?? "");
      try {
        const result = await session.request("jobs/result", { jobId, minion });
        return resultDocument(result, module, method);
      } catch (error) {
        return errorText(error);
      }
    },
  });
}

/** Modules may have dots, methods have none. */
function splitCall(call: string): [string, string] {
  const dot = call.lastIndexOf(".");
  return [call.slice(0, Math.max(0, dot)), call.slice(dot + 1)];
}
