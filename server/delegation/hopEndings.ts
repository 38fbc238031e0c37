import type { CallError } from "../protocol/jobs";
import type { Ending } from "../jobs/engine/outcome";
import type { MinionBehind } from "../jobs/engine/minionsBehind";

/** Why a minion has no result through a hop. */
export interface LeftBehind {
  minion: MinionBehind;
  /** The hop that failed, which need not be the next one. */
  failedHop: string;
  /** One sentence; where the call may have got further, it does not say that nothing was run. */
  cause: string;
  /** The call may have got further than that hop. */
  mayHaveRun: boolean;
  /** The job of the hop that failed, where that hop is away with it: it may tell later what became of it. */
  awayWith?: string;
  /** By the hop's own word it may not be asked at all. */
  denied?: boolean;
}

/** States that say, without more, that nothing was run. */
const NOT_BEGUN: ReadonlySet<Ending["state"]> = new Set<Ending["state"]>([
  "cancelled",
  "skipped",
  "expired",
  "unreachable",
]);

/** That nothing was run over this hop says nothing of another one, which may have begun the call before. */
export function inDoubt(ending: Ending, name: string): Ending {
  const { state, mayHaveRun, error } = ending;
  if (mayHaveRun || !NOT_BEGUN.has(state)) return ending;
  const doubt = `${name} may have been called over another hop before`;
  const nextStep = `It may have run: look on ${name} before you call it again.`;
  if (state === "cancelled" || state === "skipped") {
    const message = state === "cancelled" ? `Cancelled; ${doubt}.` : `Skipped; ${doubt}.`;
    const told = { type: "", trace: "", ...error, message, nextStep };
    return { ...ending, mayHaveRun: true, error: told };
  }
  const message = `${doubt}, and not over this one: ${error?.message ?? state}`;
  return {
    ...ending,
    state: "lost",
    mayHaveRun: true,
    error: { type: "lost job", trace: "", message, nextStep },
  };
}

/** The final result of a minion that is reached over no other path. */
export function endingOfLeft({
  minion,
  failedHop,
  cause,
  mayHaveRun,
  denied,
  awayWith,
}: LeftBehind): Ending {
  if (minion.path.length === 1) return unknownHere(minion);
  const via = hopsUntil(minion, failedHop);
  if (mayHaveRun) {
    return {
      state: "lost",
      mayHaveRun,
      via,
      failedHop,
      ...(awayWith !== undefined && { minionJobId: awayWith, awaitsWord: true }),
      error: {
        type: "lost job",
        message: once(`${minion.name}: lost at hop ${failedHop}: `, cause),
        trace: "",
        nextStep: `It may have run: look on ${minion.name} before you call it again, and at ${failedHop} ("func suboverlord status" there).`,
      },
    };
  }
  return {
    state: denied ? "denied" : "unreachable",
    via,
    failedHop,
    error: {
      type: "socket.error",
      message: once(`${minion.name} cannot be reached over its hop ${failedHop}: `, cause),
      trace: "",
      nextStep: `${saysNothingRan(cause) ? "" : `Nothing was run on ${minion.name}. `}Look at ${failedHop}, or build the map again: func build-map.`,
    },
  };
}

function saysNothingRan(cause: string): boolean {
  return cause.endsWith(" Nothing was run.");
}

/** Each overlord on the way says it of the same hop. */
function once(beginning: string, cause: string): string {
  return cause.startsWith(beginning) ? cause : `${beginning}${cause}`;
}

/** An overlord does not know what those above call it. */
const UNNAMED = "the overlord that was to call it";

/** What the hop's own overlord says of itself without a name, with the name that the hop has here. */
export function withHopNamed<Result extends { message: string }>(
  error: Result,
  hop: string,
): Result {
  const { message } = error;
  return message.endsWith(` ${UNNAMED}.`)
    ? { ...error, message: `${message.slice(0, -UNNAMED.length - 1)}${hop}, which was to call it.` }
    : error;
}

/** An overlord above counts it as this one's own. No hop has failed: another way to here would end the same. */
function unknownHere({ name }: MinionBehind): Ending {
  return {
    state: "unreachable",
    error: {
      type: "socket.error",
      message: `${name} is not among the minions of ${UNNAMED}.`,
      trace: "",
      nextStep: "Nothing was run there. Build the map again: func build-map.",
    },
  };
}

/** The hop said that it is through, and nothing of this one. */
export function untold(minion: MinionBehind, hop: string): Ending {
  return {
    state: "failed",
    mayHaveRun: true,
    via: [hop],
    error: {
      type: "func.broken-answer",
      message: `${hop} did not answer for ${minion.name}.`,
      trace: "",
      nextStep: `It may have run: look on ${minion.name}, and at ${hop}, before you call it again.`,
    },
  };
}

/** The hop raised an exception instead of telling what became of each. */
export function failedAsWhole(minion: MinionBehind, hop: string, error: CallError): Ending {
  return {
    state: "failed",
    mayHaveRun: true,
    via: [hop],
    failedHop: hop,
    error: {
      type: error.type,
      message: `${hop} failed, and does not tell of ${minion.name}: ${error.message}`,
      trace: error.trace,
      nextStep: `It may have run: look on ${minion.name}, and at ${hop}, before you call it again.`,
    },
  };
}

/** Whoever can call nobody. */
export function notSent(minion: MinionBehind, problem: string): Ending {
  return {
    state: "failed",
    error: {
      type: "func.unavailable",
      message: `${minion.name} was not called: ${problem}`,
      trace: "",
    },
  };
}

function hopsUntil({ path }: MinionBehind, hop: string): string[] {
  const hops = path.slice(0, -1);
  const at = hops.indexOf(hop);
  return at < 0 ? hops : hops.slice(0, at + 1);
}
