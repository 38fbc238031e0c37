import { Uri } from "vscode";

export const RESULT_SCHEME = "func-result";

/** What a document of the scheme "func-result" shows. */
export interface ResultAddress {
  jobId: string;
  minion: string;
  /** "module.method". */
  call: string;
  /** One part of the result, by its key: "stdout", "stderr", "value" ...; without it all of them. */
  section?: string;
  /** A window of the text, counted from 1; without it the exact bytes, whole. */
  part?: number;
  /** How many windows there are. */
  parts?: number;
}

/**
 * One minion's result as a read-only file: to be searched, compared and saved elsewhere.
 * `workspace.fs.readFile` gives its bytes exactly, however many they are.
 */
export function resultUri(
  jobId: string,
  minion: string,
  call: string,
  rest: Pick<ResultAddress, "section" | "part" | "parts"> = {},
): Uri {
  const { section, part, parts = 1 } = rest;
  const query = new URLSearchParams({ jobId, minion, call });
  if (section !== undefined) query.set("section", section);
  if (part !== undefined) query.set("part", `${part}/${parts}`);
  // the path is the title of the tab
  const name = section === undefined ? minion : `${minion} ${section}`;
  const title = part !== undefined && parts > 1 ? `${name} (part ${part} of ${parts})` : name;
  return Uri.from({ scheme: RESULT_SCHEME, path: `/${title}.txt`, query: query.toString() });
}

/** What `resultUri` was made of; undefined for other addresses. */
export function parseResultUri(uri: Uri): ResultAddress | undefined {
  if (uri.scheme !== RESULT_SCHEME) return undefined;
  const query = new URLSearchParams(uri.query);
  const [jobId, minion, call] = [query.get("jobId"), query.get("minion"), query.get("call")];
  if (!jobId || !minion || call === null) return undefined;
  const section = query.get("section") ?? undefined;
  const [, part, parts] = /^(\d{1,9})\/(\d{1,9})$/.exec(query.get("part") ?? "") ?? [];
  return {
    jobId,
    minion,
    call,
    ...(section !== undefined && { section }),
    ...(part !== undefined && { part: Number(part), parts: Number(parts) }),
  };
}

/** The same address with another window. */
export function partUri({ jobId, minion, call, ...rest }: ResultAddress, part: number): Uri {
  return resultUri(jobId, minion, call, { ...rest, part });
}
