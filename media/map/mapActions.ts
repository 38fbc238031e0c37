import type { HostAction } from "../../extension/webviews/mapProtocol";

/** What the parts of the page ask for. */
export interface MapActions {
  select: (place: number) => void;
  toggle: (place: number) => void;
  act: (action: HostAction, place: number) => void;
  showCallPath: (place: number) => void;
  search: (query: string) => void;
  /** To the next hit, or the one before. */
  jump: (back: boolean) => void;
  toggleList: () => void;
  fit: () => void;
  zoom: (factor: number) => void;
  expandAll: () => void;
  collapseAll: () => void;
  refresh: () => void;
  build: () => void;
  openFile: () => void;
  /** A key on the list; what is typed finds names. */
  listKey: (event: KeyboardEvent) => void;
  scrolled: () => void;
  viewport: (element: Element | undefined) => void;
}
