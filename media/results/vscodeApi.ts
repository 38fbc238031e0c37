import type { FromResults, ResultsState } from "../../extension/webviews/resultsProtocol";

/** What VS Code gives the script of a webview, once. */
interface VsCodeApi {
  postMessage(message: FromResults): void;
  getState(): ResultsState | undefined;
  setState(state: ResultsState): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export const vscodeApi = acquireVsCodeApi();
