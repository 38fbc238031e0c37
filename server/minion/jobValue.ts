import { fromJson } from "../wire/jsonValue";
import type { XmlRpcValue } from "../wire/value";
import { answerExcess, MAX_ANSWER_BYTES, readInParts } from "./answerSize";
import { textOf } from "./commandRunner";
import type { JobFolder } from "./jobFolder";
import { FUNC_EXCEPTION, LOST, MethodError, toRemoteError } from "./methodError";

/** What a job that has ended is answered with: its value, or a command's `[exit status, output, error output]`. */
export async function jobValue(folder: JobFolder): Promise<XmlRpcValue> {
  const { value, rc } = (await folder.readResult()) ?? {};
  if (value !== undefined) return fromJson(value);
  if (rc === undefined) {
    return toRemoteError(new MethodError(LOST, "lost: the result is no longer on the disk"));
  }
  const sizes = await Promise.all([folder.outputSize("stdout"), folder.outputSize("stderr")]);
  const tooMuch = (bytes: number): XmlRpcValue[] =>
    toRemoteError(
      new MethodError(
        FUNC_EXCEPTION,
        `the command ended with ${rc} and wrote ${sizes[0]} and ${sizes[1]} bytes, which make an answer of at least ${bytes}, more than the ${MAX_ANSWER_BYTES} that are read; they are in ${folder.path}: ${readInParts(folder.outputFile("stdout"))}`,
      ),
    );
  const total = sizes[0] + sizes[1];
  if (total > MAX_ANSWER_BYTES) return tooMuch(total);
  const outputs = await Promise.all([folder.readOutput("stdout"), folder.readOutput("stderr")]);
  const answer = [rc, ...outputs.map(textOf)];
  const excess = answerExcess(answer, total);
  return excess === undefined ? answer : tooMuch(excess);
}
