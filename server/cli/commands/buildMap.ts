import { FuncError } from "../../common/errors";
import type {
  MapBefore,
  MapBuildProblem,
  MapBuildResult,
  MapProbeOutcome,
} from "../../protocol/delegation";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { mapTree } from "../mapTree";
import type { Session } from "../session";

interface BuildMapCommand {
  append: boolean;
  onlyAlive: boolean;
  verbose: boolean;
}

/** The overlord knows when to give up; nothing here does before. */
const REQUEST_TIMEOUT_MS = 24 * 60 * 60_000;
/** Changes of one kind that are told one by one. */
const MAX_CHANGES = 20;
/** Behind the number of hosts, where the map is another than before, and where it is the same. */
const CHANGED: Readonly<Record<MapBefore, string>> = {
  good: "",
  "last-good": "; the damaged map is replaced, and what follows compares it with the last good one",
  damaged: "; the damaged map is replaced, of which there was no good copy",
  none: "; there was no map before",
};
const UNCHANGED: Readonly<Record<MapBefore, string>> = {
  ...CHANGED,
  good: ", as before",
  "last-good": ", as in the last good map; the damaged one is replaced",
};
/** What stands behind such a host is not in the map, or not as it is now. */
const INCOMPLETE: ReadonlySet<MapProbeOutcome> = new Set<MapProbeOutcome>([
  "not-asked",
  "too-deep",
]);

/**
 * `func build-map`: asks for a new map, and tells what is different. 1 where some host could not be asked, of
 * those left out because they are away: where the last map, or an earlier one, has hosts behind it.
 */
export async function buildMap(
  session: Session,
  { append, onlyAlive, verbose }: BuildMapCommand,
): Promise<number> {
  const { timeoutMs, json } = session.options;
  const connection = await session.connect();
  const cancelling = new AbortController();
  session.onInterrupt((signal) => {
    if (signal === "SIGHUP") return false;
    cancelling.abort();
    return true;
  });
  const progress = connection.on("map/building", ({ asked, known }) => {
    showProgress(session, `${asked} asked, ${known} hosts known ...`);
  });
  const params = { append, onlyAlive, ...(timeoutMs !== undefined && { timeoutMs }) };
  const { signal } = cancelling;
  const built = await connection
    .request("map/build", params, { signal, timeoutMs: REQUEST_TIMEOUT_MS })
    .catch((error: unknown) => {
      throw signal.aborted ? cancelled() : error;
    })
    .finally(() => {
      progress.dispose();
      showProgress(session, "");
      session.onInterrupt(undefined);
    });
  if (json) session.out.result(`${JSON.stringify(built)}\n`);
  else {
    if (verbose) {
      const { nodes } = await connection.request("map/read", {});
      session.out.result(mapTree(nodes, session.out.results.columns));
    }
    session.out.result(summaryOf(built));
    session.out.note(problemText(built));
    if (built.warning !== undefined) session.out.note(`func: warning: ${built.warning}\n`);
  }
  const incomplete = built.problems.some(({ outcome }) => INCOMPLETE.has(outcome));
  return incomplete || built.moreProblems > 0 ? EXIT_FAILED : EXIT_OK;
}

/** Where it was about to be written it is the new one. */
function cancelled(): FuncError {
  return new FuncError(
    "cancelled",
    "Building the delegation map was cancelled.",
    "func map show has the map as it is.",
  );
}

/** In the same line of a terminal each time; nowhere else. */
function showProgress({ out }: Session, text: string): void {
  // fixed characters: nothing of it comes from a host
  if (out.notes.terminal) void out.notes.chunk(`\r\x1b[K${text}`);
}

function summaryOf({ file, before, hosts, added, removed, rekeyed }: MapBuildResult): string {
  const changed = added.length + removed.length + rekeyed.length > 0;
  const how = changed ? CHANGED[before] : UNCHANGED[before];
  return [
    `${file}: ${hosts === 1 ? "1 host" : `${hosts} hosts`}${how}\n`,
    ...changeLines("+", added),
    ...changeLines("-", removed),
    ...changeLines("!", rekeyed, "has another key than before"),
  ].join("");
}

function changeLines(mark: string, paths: readonly string[][], what?: string): string[] {
  const lines = paths
    .slice(0, MAX_CHANGES)
    .map((path) => `  ${mark} ${path.join("/")}${what === undefined ? "" : ` ${what}`}\n`);
  const more = paths.length - lines.length;
  return more > 0 ? [...lines, `  ${mark} and ${more} more\n`] : lines;
}

function problemText({ problems, moreProblems }: MapBuildResult): string {
  const lines = problems.map(problemLine);
  if (moreProblems > 0) lines.push(`and ${moreProblems} more\n`);
  const steps = new Set(problems.flatMap(({ nextStep }) => nextStep ?? []));
  return [...lines, ...[...steps].map((step) => `      ${step}\n`)].join("");
}

function problemLine({ path, message }: MapBuildProblem): string {
  return `func: ${path.join("/")}: ${message}\n`;
}
