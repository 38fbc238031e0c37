import { FuncError } from "../../server/common/errors";
import { FINAL_STATES, type MinionResult } from "../../server/protocol/jobs";
import { joinedSource, textSource, type ByteSource } from "./byteSource";
import { resultParts, type ResultPart, type ResultReader } from "./resultParts";

export interface ResultSource {
  source: ByteSource;
  /** False where the result may still come. */
  final: boolean;
}

/**
 * The bytes of one section of a minion's result, or of the whole of it as a document with headings.
 * Throws FuncError "not-found" where there is no such job, minion or section, and as the requests do.
 */
export async function resultSource(
  reader: ResultReader,
  {
    jobId,
    minion,
    call,
    section,
  }: Record<"jobId" | "minion" | "call", string> & { section?: string },
  signal?: AbortSignal,
): Promise<ResultSource> {
  const result = await reader.request("jobs/result", { jobId, minion }, { signal });
  const parts = await resultParts(reader, result, call === "command.run");
  return { source: sectionSource(result, parts, section), final: FINAL_STATES.has(result.state) };
}

function sectionSource(
  result: MinionResult,
  parts: readonly ResultPart[],
  section: string | undefined,
): ByteSource {
  if (section === undefined) return documentSource(parts);
  const part = parts.find(({ key }) => key === section);
  if (part) return part.source;
  const { error } = result;
  // what a command did not write is empty, but only where it has run
  if (!error && (section === "stdout" || section === "stderr")) return textSource("");
  throw new FuncError(
    "not-found",
    `The result of ${result.minion} has no part "${section}"${error ? `: ${error.message}` : "."}`,
  );
}

/** Everything, each part below its title; a single part as it is. */
export function documentSource(parts: readonly ResultPart[]): ByteSource {
  const [only] = parts;
  if (only && parts.length === 1) return only.source;
  const sources = parts.flatMap(({ title, source }, at) => [
    textSource(`${at > 0 ? "\n" : ""}# ${title}\n`),
    source,
  ]);
  return joinedSource(sources);
}
