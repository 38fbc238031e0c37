import { followCall } from "../../client/followJob";
import { renderPing } from "../render";
import type { Session } from "../session";
import { callLimits } from "./call";
import { runJob } from "./runJob";

/** Unless -t says otherwise: who lives answers a ping soon. */
const PING_TIMEOUT_MS = 10_000;

/** `func SPEC ping`: one line for each minion, as they answer. */
export async function ping(session: Session, spec: string): Promise<number> {
  const params = {
    ...session.targets(spec),
    module: "test",
    method: "ping",
    args: [],
    timeoutMs: PING_TIMEOUT_MS,
    ...callLimits(session.options),
  };
  return runJob(session, (following) => followCall(session.overlord, params, following), {
    show: (result) => {
      session.out.result(renderPing(result));
      return true;
    },
  });
}
