import { window, type Disposable } from "vscode";
import { MAP_PANEL } from "./commandIds";
import type { MapPanels } from "./mapPanels";
import type { Services } from "./services";
import type { HostAction } from "./webviews/mapProtocol";

/** The panel with the delegation map, whose code is loaded when it is first wanted. */
export class DelegationMap implements Disposable {
  private panels: Promise<MapPanels> | undefined;
  private disposed = false;

  constructor(private readonly services: () => Services) {}

  /** Brings it to the front; `path`: the host that is to be selected. */
  async show(path?: readonly string[]): Promise<void> {
    (await this.load()).show(path);
  }

  /** Does something with a host of the map. Throws FuncError. */
  async act(action: HostAction, path: readonly string[]): Promise<void> {
    await (await this.load()).act(action, path);
  }

  /** Takes the panel back over a reload of the window; what it showed is the webview's to know. */
  registerSerializer(): Disposable {
    return window.registerWebviewPanelSerializer(MAP_PANEL, {
      deserializeWebviewPanel: async (panel) => (await this.load()).restore(panel),
    });
  }

  dispose(): void {
    this.disposed = true;
    void this.panels?.then((panels) => panels.dispose());
  }

  private load(): Promise<MapPanels> {
    this.panels ??= import("./mapPanels.js").then(({ MapPanels }) => {
      const panels = new MapPanels(this.services());
      if (this.disposed) panels.dispose();
      return panels;
    });
    return this.panels;
  }
}
