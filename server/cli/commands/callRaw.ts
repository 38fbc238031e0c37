import { followCall } from "../../client/followJob";
import { expandJson, type OutputReader } from "../../client/outputs";
import { FuncError } from "../../common/errors";
import { isCommandRun, type MinionResult } from "../../protocol/jobs";
import type { StartCallParams } from "../../protocol/requests";
import type { JsonValue } from "../../protocol/value";
import { EXIT_NO_RESULT, EXIT_OK } from "../exitStatus";
import { jsonPieces } from "../jsonPieces";
import { exactChunks } from "../pieceChunks";
import { printPieces } from "../printPieces";
import { commandResult, renderFailure } from "../render";
import { withNextStep } from "../resultStep";
import type { Session } from "../session";
import { shownValue } from "../shownValue";
import type { Sink } from "../sink";
import { cancelOnInterrupt } from "./cancelOnInterrupt";

/** Names in an error message. */
const MAX_NAMES = 5;

/**
 * `func SPEC call --raw MODULE METHOD`: one minion's result byte for byte. A command's outputs go to stdout
 * and stderr, and its exit status is func's. Throws "bad-argument" where several minions match.
 */
export async function callRaw(
  session: Session,
  { spec, exclude, ...call }: StartCallParams,
): Promise<number> {
  // a command's exit status can be any other
  session.failureStatus = EXIT_NO_RESULT;
  const { names } = await session.overlord.request("minions/match", {
    spec,
    ...(exclude !== undefined && { exclude }),
    ...(call.delegate && { delegate: true }),
    ...(call.mapFile !== undefined && { mapFile: call.mapFile }),
  });
  const [only] = names;
  if (only === undefined || names.length > 1) throw severalMatch(spec, names);
  const interruption = cancelOnInterrupt(session, call.async ? "async call" : "call");
  let status = EXIT_NO_RESULT;
  await followCall(
    session.overlord,
    { ...call, spec: only },
    {
      onStarted: ({ id }) => {
        interruption.started(id);
      },
      onFinished: interruption.finished,
      onResult: async (result) => {
        const shown = withNextStep(result, call);
        if (shown.state === "succeeded") {
          status = await printResult(session, shown, isCommandRun(call));
        } else {
          session.out.note(renderFailure(shown.minion, shown.state, shown.error));
        }
      },
    },
  );
  return status;
}

function severalMatch(spec: string, names: readonly string[]): FuncError {
  const more = names.length > MAX_NAMES ? ", ..." : "";
  return new FuncError(
    "bad-argument",
    `--raw prints the result of one minion, and "${spec}" matches ${names.length}.`,
    `Name one of them: ${names.slice(0, MAX_NAMES).join(", ")}${more}`,
  );
}

async function printResult(
  { out, options, overlord }: Session,
  result: MinionResult,
  isCommand: boolean,
): Promise<number> {
  const value = await expandJson(overlord, result.value ?? null);
  const command = isCommand ? commandResult(value) : undefined;
  if (command) {
    await printExact(out.results, overlord, command.stdout);
    await printExact(out.notes, overlord, command.stderr);
    // the signal that ended it, as shells report it
    return command.status < 0 ? 128 - command.status : command.status;
  }
  if (!(await printExact(out.results, overlord, value))) {
    await printPieces(out.results, overlord, jsonPieces(value, options.typed));
    out.result("\n");
  }
  return EXIT_OK;
}

/** False where `value` is neither text nor bytes. */
async function printExact(sink: Sink, reader: OutputReader, value: JsonValue): Promise<boolean> {
  const shown = shownValue(value);
  const source =
    shown.kind === "output"
      ? shown.ref
      : shown.kind === "bytes"
        ? Buffer.from(shown.base64, "base64")
        : shown.kind === "scalar" && typeof shown.value === "string"
          ? Buffer.from(shown.value, "utf8")
          : undefined;
  if (source === undefined) return false;
  const context = { reader, terminal: sink.terminal };
  for await (const chunk of exactChunks(source, context)) await sink.chunk(chunk);
  return true;
}
