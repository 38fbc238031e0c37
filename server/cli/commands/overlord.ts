import { stopOverlord } from "../../client/stopOverlord";
import { FuncError } from "../../common/errors";
import type { OverlordStatus } from "../../protocol/overlord";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { renderTable } from "../render";
import type { Session } from "../session";

/** `func overlord status`: starts none; exit status 1 where none runs. */
export async function overlordStatus(session: Session): Promise<number> {
  let connection;
  try {
    connection = await session.connect(false);
  } catch (error) {
    if (!(error instanceof FuncError) || error.reason !== "not-found") throw error;
    session.out.note(`No overlord runs for ${session.target.dataDirectory}.\n`);
    return EXIT_FAILED;
  }
  const status = await connection.request("overlord/status", {});
  session.out.result(
    session.options.json ? `${JSON.stringify(status)}\n` : renderTable(rows(status)),
  );
  return EXIT_OK;
}

/** `func overlord stop`: ends once its process is gone. */
export async function overlordStop(session: Session, force: boolean): Promise<number> {
  const openTokens = await openTokensOf(session);
  const stopped = await stopOverlord(session.target, force).catch((error: unknown) => {
    throw jobsRun(error);
  });
  const { dataDirectory } = session.target;
  session.out.note(
    stopped
      ? `The overlord of ${dataDirectory} has stopped.\n`
      : `No overlord runs for ${dataDirectory}.\n`,
  );
  if (stopped && openTokens > 0) {
    const are = openTokens === 1 ? "token is" : "tokens are";
    session.out.note(`${openTokens} open join ${are} void now.\n`);
  }
  return EXIT_OK;
}

/** `error`, with advice in words of this command line where jobs run. */
function jobsRun(error: unknown): unknown {
  if (!(error instanceof FuncError) || error.reason !== "conflict") return error;
  return new FuncError(
    "conflict",
    error.message,
    "Wait until they have finished (func jobs list), cancel them, or: func overlord stop --force. " +
      "What is neither finished nor cancelled may go on on the hosts.",
  );
}

/** How many join tokens the running overlord has; they end with it. None where none runs. */
async function openTokensOf(session: Session): Promise<number> {
  try {
    const connection = await session.connect(false);
    return (await connection.request("overlord/status", {})).openTokens;
  } catch (error) {
    if (error instanceof FuncError && error.reason === "not-found") return 0;
    throw error;
  }
}

function rows(status: OverlordStatus): string[][] {
  return [
    ["version", status.version],
    ["process", `${status.pid} on ${status.host}`],
    ["data directory", status.dataDirectory],
    ["since", new Date(status.startedAtMs).toISOString()],
    ["clients", String(status.clients)],
    ["minions", String(status.minions)],
    ["running jobs", String(status.runningJobs)],
    ["kept jobs", keptJobs(status)],
    ["large outputs", `${(status.outputBytes / 1e6).toFixed(1)} MB`],
    ["open tokens", String(status.openTokens)],
    ["certmaster", status.certmasterListening ?? "closed"],
    ["forks", String(status.nforks)],
    ["timeout", `${status.timeoutMs / 1000} s`],
  ];
}

function keptJobs({ jobStore: { jobs, bytes, problem } }: OverlordStatus): string {
  const kept = `${jobs}, ${(bytes / 1e6).toFixed(1)} MB`;
  return problem === undefined ? kept : `${kept}: ${problem}`;
}
