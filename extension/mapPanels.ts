import { Uri, ViewColumn, window, type Disposable, type WebviewPanel } from "vscode";
import { MAP_PANEL } from "./commandIds";
import type { Services } from "./services";
import { actOnHost } from "./webviews/mapActions";
import { MapPanel } from "./webviews/mapPanel";
import type { HostAction } from "./webviews/mapProtocol";

/** The panel with the delegation map, of which a window has one at most. */
export class MapPanels implements Disposable {
  private open: MapPanel | undefined;

  constructor(private readonly services: Services) {}

  /** Brings the panel to the front; `path`: the host that is to be selected. */
  show(path?: readonly string[]): void {
    if (this.open) this.open.panel.reveal();
    else {
      const panel = window.createWebviewPanel(
        MAP_PANEL,
        "Delegation Map",
        { viewColumn: ViewColumn.Active, preserveFocus: false },
        this.options(),
      );
      this.adopt(panel);
    }
    if (path) this.open?.show(path);
  }

  /** Does something with a host of the map. Throws FuncError. */
  act(action: HostAction, path: readonly string[]): Promise<void> {
    return actOnHost(this.services, action, path);
  }

  /** Takes a panel back over a reload of the window. */
  restore(panel: WebviewPanel): void {
    if (this.open) panel.dispose();
    else this.adopt(panel);
  }

  dispose(): void {
    this.open?.dispose();
    this.open = undefined;
  }

  private adopt(panel: WebviewPanel): void {
    const { extensionUri } = this.services.context;
    panel.webview.options = this.options();
    panel.iconPath = {
      light: Uri.joinPath(extensionUri, "media", "map-light.svg"),
      dark: Uri.joinPath(extensionUri, "media", "map-dark.svg"),
    };
    const map = new MapPanel(panel, this.services, extensionUri);
    this.open = map;
    panel.onDidDispose(() => {
      map.dispose();
      if (this.open === map) this.open = undefined;
    });
  }

  private options(): { enableScripts: boolean; localResourceRoots: Uri[] } {
    const { extensionUri } = this.services.context;
    return {
      enableScripts: true,
      localResourceRoots: [Uri.joinPath(extensionUri, "dist", "webview")],
    };
  }
}
