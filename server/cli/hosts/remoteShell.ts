import { randomBytes } from "node:crypto";
import { FuncError } from "../../common/errors";
import { PRELUDE } from "./remoteScripts";
import { quote } from "./shellQuote";
import type { SshSession } from "./sshSession";

/** What a script reported: the lines of each key, in order. */
export type Report = ReadonlyMap<string, readonly string[]>;

/** What runs the scripts: an ssh connection, as far as they need it. */
export type RemoteHost = Pick<SshSession, "settings" | "run">;

export interface ScriptRun {
  /** As root, by sudo without a password. */
  sudo?: boolean;
  /** Its variables. */
  variables: Readonly<Record<string, string>>;
  /** What its commands read from standard input. */
  input?: Buffer | string;
  timeoutMs: number;
  signal?: AbortSignal;
}

const MAX_LINES = 2_000;
const VARIABLE = /^[a-z]+$/;

/**
 * Runs a script of ours with the host's sh. The command line that the user's login shell reads is always the same
 * and quoted so that every shell understands it; script, variables and data come by standard input. Throws
 * FuncError where ssh fails, or where the host has no sh.
 */
export async function runScript(
  host: RemoteHost,
  script: string,
  { sudo = false, variables, input, timeoutMs, signal }: ScriptRun,
): Promise<Report> {
  const tag = `func-${randomBytes(8).toString("hex")}`;
  const assignments = Object.entries({ ...variables, tag }).map(([name, value]) => {
    if (!VARIABLE.test(name)) throw new FuncError("internal", `bad variable ${name}`);
    return `${name}=${quote(value)}\n`;
  });
  const text = Buffer.from(assignments.join("") + PRELUDE + script + "say done\n");
  const shell = `sh -c 'eval "$(dd bs=1 count=${text.length} 2>/dev/null)"'`;
  const command = sudo ? `exec sudo -n ${shell}` : `exec ${shell}`;
  const data = Buffer.concat([text, Buffer.from(input ?? "")]);
  const run = await host.run(command, { input: data, timeoutMs, signal });
  const report = readReport(run.stdout, tag);
  if (report.size > 0) return report;
  const { text: name } = host.settings.destination;
  const words = `${run.stderr}\n${run.stdout}`.trim().slice(-500);
  throw new FuncError(
    "unavailable",
    `${name} cannot run the commands that set it up: ${words === "" ? `exit status ${run.status ?? "none"}` : words}`,
    `It has to be a host with a POSIX shell whose login works without a menu: try ssh ${name} "sh -c true"`,
  );
}

/** Lines "TAG KEY VALUE"; what a login shell prints besides has no tag. */
function readReport(stdout: string, tag: string): Report {
  const report = new Map<string, string[]>();
  const lines = stdout.split("\n").filter((line) => line.startsWith(`${tag} `));
  for (const line of lines.slice(0, MAX_LINES)) {
    const rest = line.slice(tag.length + 1).replace(/\r$/, "");
    const space = rest.indexOf(" ");
    const key = space < 0 ? rest : rest.slice(0, space);
    const values = report.get(key) ?? [];
    values.push(space < 0 ? "" : rest.slice(space + 1));
    report.set(key, values);
  }
  return report;
}

/** The first value of a key. */
export function first(report: Report, key: string): string | undefined {
  return report.get(key)?.[0];
}

/** All lines of a key as one text. */
export function all(report: Report, key: string): string {
  return (report.get(key) ?? []).join("\n");
}
