/**
 * What commands get of funcd's own environment. Everything else stays behind: whoever started funcd may have
 * had tokens, agents and passwords in theirs, and `env` would send them to every caller.
 */
const KEPT = /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|XDG_RUNTIME_DIR)$/;

/** The environment of a command: what belongs to the host and its user, and `added` on top. */
export function commandEnvironment(
  added: Readonly<Record<string, string>>,
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(([name]) => KEPT.test(name));
  return { ...Object.fromEntries(kept), ...added };
}
