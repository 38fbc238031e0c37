/** How `funcd` was started, for commands that are to be copied: by its name, or as `node` with its file. */
export function ownCommand(): string {
  const [, script = ""] = process.argv;
  return script.endsWith("funcd.js") ? `node ${script}` : "funcd";
}
