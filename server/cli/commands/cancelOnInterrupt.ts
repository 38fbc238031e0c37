import { messageOf } from "../../common/errors";
import type { EndSignal, Session } from "../session";
import { shellWord } from "../shellWord";

/** What is followed, which decides what a signal does to it. */
export type Followed = "call" | "async call" | "watched job";

/** Where a job stands that is followed. */
export interface Interruption {
  started: (jobId: string) => void;
  /** Only printing is left: from here on every signal ends func. */
  finished: () => void;
}

/**
 * Makes the first Ctrl-C cancel the call that is about to start; a second one ends func. What is only watched,
 * or whose terminal is closed, goes on when func ends.
 */
export function cancelOnInterrupt(session: Session, followed: Followed): Interruption {
  let jobId: string | undefined;
  let early = false;
  let over = false;
  const cancel = (id: string): void => {
    session.overlord.request("jobs/cancel", { jobId: id }).catch((error: unknown) => {
      // the results may be here before the answer: the connection closes then
      if (!over) session.out.note(`func: the job could not be cancelled: ${messageOf(error)}\n`);
    });
  };
  session.onInterrupt((signal) => {
    if (!cancels(signal, followed)) {
      session.out.note(
        jobId === undefined
          ? "func: ending; what was asked for may run all the same: func jobs list\n"
          : `func: the job ${jobId} goes on; to cancel it: func jobs cancel ${shellWord(jobId)}\n`,
      );
      return false;
    }
    session.out.note("func: cancelling; Ctrl-C once more ends at once.\n");
    if (jobId === undefined) early = true;
    else cancel(jobId);
    return true;
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

/** A person meant the call with Ctrl-C; a lost connection means nothing. */
function cancels(signal: EndSignal, followed: Followed): boolean {
  switch (signal) {
    case "SIGINT":
      return followed !== "watched job";
    case "SIGTERM":
      return followed === "call";
    case "SIGHUP":
      return false;
  }
}
