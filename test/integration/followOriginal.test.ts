import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobOutput } from "../../server/protocol/jobs";
import { remoteError } from "../../server/wire/remoteError";
import type { RpcRequest } from "../../server/wire/rpcServer";
import type { XmlRpcValue } from "../../server/wire/value";
import { until } from "../fixtures/overlordBundle";
import { TestFleet } from "../fixtures/testFleet";

let fleet: TestFleet;
let log = "";
let ended = false;

/** As a minion of the original does. */
function original({ method, params }: RpcRequest): Promise<XmlRpcValue> {
  const answers: Record<string, () => XmlRpcValue> = {
    "async.test.echo": () => "1795304348.24-minion",
    "jobs.job_status": () => (ended ? [1, ["done"]] : [0, -1]),
    "jobs.tail_output": () => [lastLines(params[0] === "1795304348.24-minion" ? log : ""), ""],
  };
  const unknown = () => remoteError("func.minion.codes.InvalidMethodException", "");
  return Promise.resolve((answers[method] ?? unknown)());
}

function lastLines(text: string): string {
  return text.split("\n").slice(-51).join("\n");
}

beforeAll(async () => {
  fleet = await TestFleet.start(["old1"]);
});

afterAll(async () => {
  await fleet.close();
});

it("shows what a minion of the original logs, and says where lines may be missing", async () => {
  fleet.reset(original);
  const messages: JobOutput[] = [];
  fleet.connection.on("jobs/output", (output) => messages.push(output));
  const text = (): string =>
    messages.flatMap(({ pieces }) => pieces.map((piece) => piece.text)).join("");
  const problems = (): string[] =>
    messages.flatMap(({ problems: some = [] }) => some.map(({ message }) => message));
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

  const { id } = await fleet.start({ async: true });
  await fleet.connection.request("jobs/follow", { jobId: id });
  log = lines(0, 30);
  await until(() => text() === log);
  log = lines(0, 70);
  await until(() => text() === log);
  expect(problems()).toEqual([]);
  log = lines(0, 500);
  await until(() => text().endsWith("line 499\n"));
  expect(problems()).toHaveLength(1);
  expect(problems()[0]).toContain("only tell the last 50 lines");
  log += "end\n";
  ended = true;
  await until(() => messages.some((message) => message.ended.includes("old1")));
  expect(text()).toBe(`${lines(0, 70)}${lines(450, 500)}end\n`);
  let offset = 0;
  for (const piece of messages.flatMap(({ pieces }) => pieces)) {
    expect(piece.offset).toBe(offset);
    offset += piece.bytes;
  }
});
