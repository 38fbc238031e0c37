import type { OverlordStatus } from "../../server/protocol/overlord";

/** What diagnostics tell, before names are replaced. */
export interface Diagnostics {
  /** Label and value, in order. */
  versions: readonly (readonly [string, string])[];
  settings: Readonly<Record<string, unknown>>;
  /** Undefined where this window is not connected to one. */
  overlord?: OverlordStatus;
  /** Why there is no status. */
  overlordProblem: string;
  /** Number of minions in each state; undefined where that is unknown. */
  minions?: Readonly<Record<string, number>>;
  /** The last lines of each log; undefined where there is none. */
  logs: readonly { title: string; lines: readonly string[] | undefined }[];
}

/** The diagnostics as a markdown document. */
export function diagnosticsText({
  versions,
  settings,
  overlord,
  overlordProblem,
  minions,
  logs,
}: Diagnostics): string {
  return [
    "# Func Overlord: diagnostics",
    "Names of minions and their addresses are replaced by numbers, secrets are taken out. Read it before you send it.",
    table(versions),
    "## Overlord",
    overlord ? table(statusRows(overlord)) : overlordProblem,
    minions ? `Minions: ${countsText(minions)}` : "Minions: not known",
    "## Settings",
    fence("json", JSON.stringify(settings, undefined, 2)),
    ...logs.flatMap(({ title, lines }) => [
      `## ${title}`,
      lines && lines.length > 0 ? fence("text", lines.join("\n")) : "There is none.",
    ]),
    "",
  ].join("\n\n");
}

function statusRows(status: OverlordStatus): (readonly [string, string])[] {
  return [
    ["Version", status.version],
    ["Process", `${status.pid}`],
    ["Host", status.host],
    ["Data directory", status.dataDirectory],
    ["Started", new Date(status.startedAtMs).toISOString()],
    ["Clients", `${status.clients}`],
    ["Running jobs", `${status.runningJobs}`],
    ["Open join tokens", `${status.openTokens}`],
    ["Certmaster", status.certmasterListening ?? "closed"],
    ["Defaults", `nforks ${status.nforks}, time limit ${status.timeoutMs} ms`],
  ];
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return total === 0 ? "none" : `${total} (${parts.join(", ")})`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s+/g, " ");
  return ["| | |", "| --- | --- |", ...rows.map(([a, b]) => `| ${cell(a)} | ${cell(b)} |`)].join(
    "\n",
  );
}

/** A fence that no line of the text can end. */
function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${text}\n${ticks}`;
}
