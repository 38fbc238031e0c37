import type { ArgumentDescription } from "../../protocol/methods";
import type { XmlRpcValue } from "../../wire/value";
import { asString } from "../argumentCheck";
import type { MinionMethod, MinionModule } from "../minionModule";
import type { MinionJobs } from "../minionJobs";
import type { SyncCalls } from "../syncCalls";

/** Below the time that anything between the two ends lets a quiet connection live. */
const MOST_WAIT_SECONDS = 50;
const TAIL_LINES = 50;
const PROGRESS = /^Progress report (\d+)\/(\d+) completed\s*$/;

const JOB_ID: ArgumentDescription = {
  name: "job_id",
  type: "string",
  optional: false,
  description: "The id that the async call answered",
};

/** Asks about the async jobs of this minion. */
export function jobsModule(jobs: MinionJobs, syncCalls: SyncCalls): MinionModule {
  const othersBusiness: MinionMethod["othersBusiness"] = ({ role, name, keyFingerprint }, id) =>
    jobs.isOthers(asString(id), keyFingerprint)
      ? `${role} ${name} has not started this job`
      : undefined;
  return {
    name: "jobs",
    version: "0.0.1",
    description: "Asks about async jobs, and ends them",
    methods: {
      job_status: {
        description: "Answers [0, -1] while a job runs, [1, result] once it has ended, else [2, 0]",
        args: [JOB_ID],
        risk: "read",
        othersBusiness,
        handler: (_context, id) => jobs.status(asString(id)),
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
          return folder ? progressIn(await folder.tail("stdout", TAIL_LINES)) : [0, 0];
        },
      },
      wait: {
        description: "Answers like job_status, but only once the job has ended or the time is over",
        args: [
          JOB_ID,
          {
            name: "seconds",
            type: "float",
            optional: true,
            description: "How long to wait at most",
            default: MOST_WAIT_SECONDS,
            min: 0,
            max: MOST_WAIT_SECONDS,
          },
        ],
        risk: "read",
        othersBusiness,
        handler: async ({ signal, connectionClosed }, id, seconds) => {
          const time = AbortSignal.timeout(Number(seconds) * 1_000);
          await jobs.waitFor(asString(id), AbortSignal.any([signal, connectionClosed, time]));
          return jobs.status(asString(id));
        },
      },
      cancel: {
        description:
          "Asks a running job, or the caller's own running call of this Func-Call id, to end; answers whether there was one",
        args: [{ ...JOB_ID, description: "Id of the job, or Func-Call id of a running call" }],
        risk: "change",
        othersBusiness,
        handler: async ({ caller }, id) =>
          syncCalls.cancel(asString(id), caller.keyFingerprint) ||
          (await jobs.cancel(asString(id), caller.keyFingerprint)),
      },
    },
  };
}

function progressIn(output: string): XmlRpcValue[] {
  for (const line of output.split("\n").reverse()) {
    const match = PROGRESS.exec(line);
    if (match) return [Number(match[1]), Number(match[2])];
  }
  return [0, 0];
}
