import type { OverlordConnection } from "../../client/connection";
import { messageOf } from "../../common/errors";
import type { Session } from "../session";

/** Where a job stands whose cancelling hangs on Ctrl-C. */
export interface Interruption {
  started: (jobId: string) => void;
  /** Only printing is left: from here on Ctrl-C ends func. */
  finished: () => void;
}

/** Makes the first Ctrl-C cancel the job that is about to start; a second one ends func. */
export function cancelOnInterrupt(session: Session, connection: OverlordConnection): Interruption {
  let jobId: string | undefined;
  let early = false;
  let over = false;
  const cancel = (id: string): void => {
    connection.request("jobs/cancel", { jobId: id }).catch((error: unknown) => {
      // the results may be here before the answer: the connection closes then
      if (!over) session.out.note(`func: the job could not be cancelled: ${messageOf(error)}\n`);
    });
  };
  session.onInterrupt(() => {
    session.out.note("func: cancelling; Ctrl-C once more ends at once.\n");
    if (jobId === undefined) early = true;
    else cancel(jobId);
  });
  return {
    started: (id) => {
      jobId = id;
      if (early) cancel(id);
    },
    finished: () => {
      over = true;
      session.onInterrupt(undefined);
    },
  };
}
