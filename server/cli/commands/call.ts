import { followCall } from "../../client/followJob";
import type { StartCallParams } from "../../protocol/requests";
import { behindTooText } from "../behindTooText";
import { callArguments } from "../callArguments";
import { EXIT_OK } from "../exitStatus";
import type { GlobalOptions } from "../parse";
import type { Session } from "../session";
import { callRaw } from "./callRaw";
import { runJob } from "./runJob";

export interface Call {
  spec: string;
  module: string;
  method: string;
  args: string[];
  /** The result of the one minion byte for byte. */
  raw?: boolean;
}

/** `func SPEC call MODULE METHOD [ARGS...]`. */
export async function call(
  session: Session,
  { spec, module, method, args, raw }: Call,
): Promise<number> {
  const { options, out } = session;
  const params: StartCallParams = {
    ...session.targets(spec),
    module,
    method,
    args: callArguments(args, options.typed),
    ...callLimits(options),
    ...options.calls,
    ...(options.async && { async: true }),
  };
  if (options.async && options.nopoll) {
    const job = await session.overlord.request("calls/start", params);
    const { id, warning } = job;
    if (warning !== undefined) out.note(`Warning: ${warning}\n`);
    out.note(behindTooText(job));
    out.result(options.json ? `${JSON.stringify({ job_id: id })}\n` : `JOB_ID: '${id}'\n`);
    return EXIT_OK;
  }
  if (raw) return callRaw(session, params);
  return runJob(session, (following) => followCall(session.overlord, params, following), {
    followed: options.async ? "async call" : "call",
  });
}

/** -f and -t as the overlord takes them. */
export function callLimits({
  forks,
  timeoutMs,
}: GlobalOptions): Pick<StartCallParams, "nforks" | "timeoutMs"> {
  return {
    ...(forks !== undefined && { nforks: forks }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
