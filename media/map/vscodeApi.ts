import type { FromMap, MapPanelState } from "../../extension/webviews/mapProtocol";

/** What VS Code gives the script of a webview, once. */
interface VsCodeApi {
  postMessage(message: FromMap): void;
  getState(): MapPanelState | undefined;
  setState(state: MapPanelState): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export const vscodeApi = acquireVsCodeApi();
