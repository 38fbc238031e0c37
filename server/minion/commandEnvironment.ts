/** Variables that belong to funcd's own runtime, not to the host's environment. */
const INTERNAL = /^(?:FUNC|FUNCD|NODE|ELECTRON|VSCODE|NPM|npm)_/;

/** The environment of a command: funcd's own without what concerns only funcd, and `added` on top. */
export function commandEnvironment(
  added: Readonly<Record<string, string>>,
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(([name]) => !INTERNAL.test(name));
  return { ...Object.fromEntries(kept), ...added };
}
