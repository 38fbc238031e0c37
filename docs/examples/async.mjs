// The async example of the original's documentation, line by line, in JavaScript.
//
//   npm install func-overlord-0.1.0.tgz     (made by: npm run build && npm pack)
//   node async.mjs

// from func.overlord.client import Client
// import func.jobthing as jobthing
import {
  Client,
  JOB_ID_FINISHED,
  JOB_ID_LOST_IN_SPACE,
  JOB_ID_PARTIAL,
  JOB_ID_RUNNING,
} from "func-overlord/client";

// client = Client("*",nforks=10,async=True)
const client = new Client("*", { nforks: 10, async: true });

// job_id = client.module_name.method_name(1,2,3,4)
const jobId = await client.command.run("sleep 1; hostname");

// (return_code, results) = client.job_status(job_id)
const [returnCode, results] = await client.jobStatus(jobId);

switch (returnCode) {
  case JOB_ID_RUNNING: // nothing has come back yet: results is undefined
  case JOB_ID_LOST_IN_SPACE: // there is no such job: results is undefined
    console.log("code", returnCode, results);
    break;
  case JOB_ID_PARTIAL: // {hostname1: its result, hostname2: its result}, of those that have ended
  case JOB_ID_FINISHED: // the same, of all
    console.log("code", returnCode, Object.keys(results));
}

// partial results as they come in, without asking again and again
for await (const { minion, value, error } of client.results(jobId)) {
  console.log(minion, error ?? value);
}

// now it is finished, and answered without asking any host
console.log(JSON.stringify(await client.jobStatus(jobId)));
