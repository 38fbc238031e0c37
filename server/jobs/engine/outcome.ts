import type { MinionCallOutcome } from "../../calls/minionCaller";
import { FuncError, messageOf } from "../../common/errors";
import type { ResultReceipt } from "../../protocol/delegation";
import type { MinionResult } from "../../protocol/jobs";
import { toJson } from "../../wire/jsonValue";
import { callErrorOf, JOB_LOST } from "../../wire/remoteError";

/** How a minion's part of a job ended. */
export type Ending = Omit<MinionResult, "minion"> & {
  /** What the host itself signed of it. */
  receipt?: ResultReceipt;
  /** The hop that has its job (`minionJobId`) may tell later how it ended. */
  awaitsWord?: boolean;
};

/** Whom messages name. */
interface Named {
  name: string;
  address: string;
  port: number;
}

/** A minion's final result as the job keeps it. */
export function resultOf(outcome: MinionCallOutcome, minion: Named): Ending {
  if (outcome.state !== "succeeded") {
    const { state, error, mayHaveRun } = outcome;
    if (error.type === JOB_LOST) {
      const nextStep = error.nextStep ?? mayHaveRunStep(minion);
      return { state: "lost", mayHaveRun: true, error: { ...error, nextStep } };
    }
    return { state, error, ...(mayHaveRun && { mayHaveRun }) };
  }
  try {
    return { state: "succeeded", value: toJson(outcome.value) };
  } catch (error) {
    const problem = new FuncError("bad-data", `The answer cannot be shown: ${messageOf(error)}`);
    return { state: "failed", error: callErrorOf(problem, minion) };
  }
}

/** For a minion whose call was not even begun, unless `message` tells otherwise. */
export function cancelledResult(
  minion: Named,
  message = `Cancelled before it began; nothing was run on ${minion.name}.`,
  nextStep?: string,
): Ending {
  const error = new FuncError("cancelled", message, nextStep);
  return { state: "cancelled", error: callErrorOf(error, minion) };
}

/** It has ended the job when it was told to. */
export function stoppedResult(minion: Named): Ending {
  const ending = cancelledResult(minion, `Cancelled; ${minion.name} has stopped the job.`);
  return { ...ending, mayHaveRun: true };
}

/** It was away until its delivery limit had passed. */
export function expiredResult(minion: { name: string }, problem: string): Ending {
  const message = `${minion.name} was away until the delivery limit had passed; nothing was run there. The last problem: ${problem}`;
  return { state: "expired", error: { type: "socket.timeout", message, trace: "" } };
}

/** The minion has, or had, the work, and what became of it cannot be learnt. */
export function lostResult(minion: { name: string }, why: string): Ending {
  // that may be true of the last question, and not of the job
  const told = why.replace(/ Nothing was run\.(?= |$)/g, "");
  return {
    state: "lost",
    mayHaveRun: true,
    error: {
      type: "lost job",
      message: `${minion.name}: ${told}`,
      trace: "",
      nextStep: mayHaveRunStep(minion),
    },
  };
}

function mayHaveRunStep({ name }: { name: string }): string {
  return `It may have run: look on ${name} before you call it again.`;
}
