import type { ArgumentDescription } from "../../protocol/methods";
import { asString } from "../argumentCheck";
import type { CallJournal } from "../callJournal";
import { callOwner, callOwners } from "../callOwner";
import { MAX_READ_BYTES, progressLook, progressOf, readOutput } from "../jobOutput";
import type { XmlRpcValue } from "../../wire/value";
import type { Caller, MinionMethod, MinionModule } from "../minionModule";
import { STATUS_FINISHED, STATUS_RUNNING, STATUS_UNKNOWN, type MinionJobs } from "../minionJobs";
import type { Originators } from "../originators";
import type { SignedCalls } from "../signedCall";
import type { SyncCalls } from "../syncCalls";

/** Below the time that anything between the two ends lets a quiet connection live. */
const MOST_WAIT_SECONDS = 50;
const TAIL_LINES = 50;
const MOST_ACKNOWLEDGED = 10_000;

const JOB_ID: ArgumentDescription = {
  name: "job_id",
  type: "string",
  optional: false,
  description: "The id that the async call answered",
};

const SECONDS: ArgumentDescription = {
  name: "seconds",
  type: "float",
  optional: true,
  description: "How long to wait at most",
  default: MOST_WAIT_SECONDS,
  min: 0,
  max: MOST_WAIT_SECONDS,
};

function bytesArgument(name: string, description: string, max?: number): ArgumentDescription {
  const bounds = max === undefined ? { min: 0 } : { min: 1, max };
  return { name, type: "int", optional: false, description, ...bounds };
}

/** What the module asks. */
export interface JobsParts {
  jobs: MinionJobs;
  syncCalls: SyncCalls;
  journal: CallJournal;
  originators: Originators;
  signedCalls: SignedCalls;
}

/** Asks about the async jobs of this minion. */
export function jobsModule(parts: JobsParts): MinionModule {
  const { jobs, syncCalls, journal, originators, signedCalls } = parts;
  const ownersOf = (caller: Caller): string[] => callOwners(caller, originators.fingerprints());
  const othersBusiness: MinionMethod["othersBusiness"] = (caller, id) =>
    jobs.isOthers(asString(id), callOwner(caller))
      ? `${caller.role} ${caller.name} has not started this job`
      : undefined;
  /** What an originator has signed is answered with a receipt. */
  const statusOf = async (id: string): Promise<XmlRpcValue[]> => {
    const [status = STATUS_UNKNOWN, value = 0] = await jobs.status(id);
    const callId = status === STATUS_FINISHED ? jobs.signedCallOf(id) : undefined;
    return [status, callId === undefined ? value : signedCalls.answer(callId, value)];
  };
  return {
    name: "jobs",
    version: "0.0.2",
    description: "Asks about async jobs, and ends them",
    methods: {
      job_status: {
        description: "Answers [0, -1] while a job runs, [1, result] once it has ended, else [2, 0]",
        args: [JOB_ID],
        risk: "read",
        othersBusiness,
        handler: (_context, id) => statusOf(asString(id)),
      },
      tail_output: {
        description: "Answers the last 50 lines of a job's output and error output",
        args: [JOB_ID],
        risk: "read",
        othersBusiness,
        handler: async (_context, id) => {
          const folder = jobs.folderOf(asString(id));
          if (!folder) return ["", `no such job: ${asString(id).slice(0, 100)}`];
          return [await folder.tail("stdout", TAIL_LINES), await folder.tail("stderr", TAIL_LINES)];
        },
      },
      get_progress: {
        description: 'Answers [n, m] of the job\'s last line "Progress report n/m completed"',
        args: [JOB_ID],
        risk: "read",
        othersBusiness,
        handler: async (_context, id) => {
          const folder = jobs.folderOf(asString(id));
          return folder ? progressOf(folder) : [0, 0];
        },
      },
      wait: {
        description:
          "Answers like job_status, but only once the job has ended or the time is over; with known_done the answer is [0, -1, [n, m]] while it runs, and comes as soon as n is another",
        args: [
          JOB_ID,
          SECONDS,
          {
            name: "known_done",
            type: "int",
            optional: true,
            description: "The n of the last progress that is known",
          },
        ],
        risk: "read",
        repeats: true,
        othersBusiness,
        handler: async ({ signal, connectionClosed }, id, seconds, knownDone) => {
          const time = AbortSignal.timeout(Number(seconds) * 1_000);
          const end = AbortSignal.any([signal, connectionClosed, time]);
          const folder = knownDone === undefined ? undefined : jobs.folderOf(asString(id));
          await jobs.waitFor(asString(id), end, folder && progressLook(folder, Number(knownDone)));
          const status = await statusOf(asString(id));
          if (!folder || status[0] !== STATUS_RUNNING) return status;
          return [...status, await progressOf(folder)];
        },
      },
      read_output: {
        description:
          "Answers [bytes, size so far, ended] of what a command's job has written; waits for more than offset",
        args: [
          JOB_ID,
          {
            name: "stream",
            type: "string",
            optional: false,
            description: "Which of the two",
            options: ["stdout", "stderr"],
          },
          bytesArgument("offset", "Where to read from, in bytes"),
          bytesArgument("length", "How many bytes at most", MAX_READ_BYTES),
          { ...SECONDS, name: "wait_seconds", default: 0 },
          {
            ...bytesArgument(
              "known_of_other",
              "Bytes of the other stream that are known: the wait also ends with more of them, and the answer has its size as well",
            ),
            optional: true,
          },
        ],
        risk: "read",
        repeats: true,
        othersBusiness,
        handler: ({ signal, connectionClosed }, id, stream, offset, length, seconds, other) =>
          readOutput(
            jobs,
            asString(id),
            {
              stream: stream === "stderr" ? "stderr" : "stdout",
              offset: Number(offset),
              length: Number(length),
              waitMs: Number(seconds) * 1_000,
              ...(other !== undefined && { knownOfOther: Number(other) }),
            },
            AbortSignal.any([signal, connectionClosed]),
          ),
      },
      acknowledge: {
        description:
          "Tells that the results of these ended jobs are kept elsewhere: they may go first where room is needed; answers how many they are",
        args: [
          {
            name: "job_ids",
            type: "list",
            optional: false,
            description: "Ids that async calls answered",
            maxLength: MOST_ACKNOWLEDGED,
          },
        ],
        risk: "read",
        handler: ({ caller }, ids) =>
          jobs.acknowledge(Array.isArray(ids) ? ids.map(asString) : [], ...ownersOf(caller)),
      },
      call_state: {
        description:
          'Answers whether the caller\'s own call of this Func-Call id is "unknown" here, "running" or has "ended"; one that is unknown is not begun any more',
        args: [{ ...JOB_ID, name: "call_id", description: "Func-Call id of a call" }],
        risk: "read",
        handler: async ({ caller }, id) => {
          const callId = asString(id);
          const states: CallState[] = [];
          for (const owner of ownersOf(caller)) {
            states.push(await callStateOf(parts, callId, owner));
          }
          const known = states.find((state) => state === "running" || state === "ended");
          if (known !== undefined) return known;
          if (states.includes("kept")) return "unknown";
          for (const owner of ownersOf(caller)) {
            const key = `${owner} ${callId}`;
            if (!journal.isGivenUp(key)) await journal.giveUp(key);
          }
          return "unknown";
        },
      },
      cancel: {
        description:
          "Asks a running job, or the caller's own running call of this Func-Call id, to end; answers whether there was one",
        args: [{ ...JOB_ID, description: "Id of the job, or Func-Call id of a running call" }],
        risk: "change",
        othersBusiness,
        handler: async ({ caller }, id) => {
          for (const owner of ownersOf(caller)) {
            if (syncCalls.cancel(asString(id), owner)) return true;
            if (await jobs.cancel(asString(id), owner)) return true;
          }
          return false;
        },
      },
    },
  };
}

/** "kept": it was begun, and its job cannot be found. */
type CallState = "unknown" | "running" | "ended" | "kept";

async function callStateOf(
  { jobs, syncCalls, journal }: JobsParts,
  callId: string,
  owner: string,
): Promise<CallState> {
  const key = `${owner} ${callId}`;
  if (journal.isGivenUp(key)) return "unknown";
  const sync = syncCalls.state(callId, owner);
  const isKnown = jobs.hasCall(callId, owner) || journal.has(key);
  if (sync === "unknown" && !isKnown) return "unknown";
  const states = [await jobs.callState(callId, owner), sync];
  if (states.includes("running")) return "running";
  return journal.has(key) || states.includes("ended") ? "ended" : "kept";
}
