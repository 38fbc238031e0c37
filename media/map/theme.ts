/** The colours and the font of VS Code's theme, as a canvas takes them. */
export interface Theme {
  text: string;
  dim: string;
  background: string;
  edge: string;
  /** Of the call path, and of what is selected. */
  path: string;
  focus: string;
  online: string;
  unreachable: string;
  unknown: string;
  running: string;
  failed: string;
  hit: string;
  font: string;
  fontPx: number;
  /** Lines are drawn stronger. */
  highContrast: boolean;
}

/** Reads them anew: they change when the theme does. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const { classList } = document.body;
  return {
    text: colour("--map-text"),
    dim: colour("--map-dim"),
    background: colour("--map-background"),
    edge: colour("--map-edge"),
    path: colour("--map-path"),
    focus: colour("--map-focus"),
    online: colour("--map-online"),
    unreachable: colour("--map-unreachable"),
    unknown: colour("--map-unknown"),
    running: colour("--map-running"),
    failed: colour("--map-failed"),
    hit: colour("--map-hit"),
    font: style.fontFamily,
    fontPx: Number.parseFloat(style.fontSize) || 13,
    highContrast:
      classList.contains("vscode-high-contrast") ||
      classList.contains("vscode-high-contrast-light"),
  };
}

/** Calls `changed` whenever VS Code shows another theme. */
export function watchTheme(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
}

/** Whether nothing shall move of its own accord. */
export function wantsRest(): boolean {
  return (
    document.body.classList.contains("vscode-reduce-motion") ||
    matchMedia("(prefers-reduced-motion: reduce)").matches
  );
}
