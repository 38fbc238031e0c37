import type { OverlordConnection } from "../../client/connection";
import { utcTime } from "../../common/utcTime";
import { countNodes } from "../../delegation/delegationMap";
import type { DelegationMapAnswer } from "../../protocol/delegation";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { mapTree } from "../mapTree";
import type { Session } from "../session";

interface MapPlace {
  mapFile?: string;
}

/** `func map show`: the tree. 1 where the file itself cannot be used, so that it is the last good one. */
export async function mapShow(session: Session, { mapFile }: MapPlace): Promise<number> {
  const connection = await session.connect();
  const map = await connection.request("map/read", { ...(mapFile !== undefined && { mapFile }) });
  if (session.options.json) {
    session.out.result(`${JSON.stringify(map)}\n`);
  } else {
    const { columns } = session.out.results;
    session.out.result(mapTree(map.nodes, columns));
    if (map.nodes.length === 0) session.out.note("The map is empty.\n");
    else if (columns !== undefined) session.out.note(sumOf(map));
  }
  noteProblem(session, map.problem);
  return map.problem === undefined ? EXIT_OK : EXIT_FAILED;
}

function noteProblem({ out }: Session, problem: string | undefined): void {
  if (problem !== undefined) out.note(`func: the last good map is in use: ${problem}\n`);
}

function sumOf({ file, nodes, changedAtMs }: DelegationMapAnswer): string {
  const all = countNodes(nodes);
  return `${file}, as of ${utcTime(changedAtMs)}: ${all === 1 ? "1 host" : `${all} hosts`}.\n`;
}

/** `func map path`: over whom each host is reached. 1 where the map lacks one, or one cannot be called that way. */
export async function mapPath(
  session: Session,
  { names, mapFile }: MapPlace & { names: string[] },
): Promise<number> {
  const connection = await session.connect();
  const place = mapFile !== undefined && { mapFile };
  const answer = await connection.request("map/paths", { names, ...place });
  const { paths, strangers = [], problem } = answer;
  const missing = names.filter((_name, index) => !paths[index]);
  if (session.options.json) {
    const byName = Object.fromEntries(names.map((name, index) => [name, paths[index] ?? null]));
    session.out.result(`${JSON.stringify(byName)}\n`);
  } else {
    for (const path of paths) if (path) session.out.result(`${path.join(" -> ")}\n`);
  }
  for (const name of missing) session.out.note(`func: "${name}" is not in the map.\n`);
  if (missing.length > 0) session.out.note("      Build it again: func build-map.\n");
  for (const name of strangers) {
    const who = paths.some((path) => path?.[0] === name && path.length > 1)
      ? "nothing can be called over it"
      : "it cannot be called";
    session.out.note(`func: ${name} is no minion of this overlord, so ${who}.\n`);
  }
  if (strangers.length > 0) {
    session.out.note(
      "      Enrol it, or take it out of the map: func map check tells where it stands.\n",
    );
  }
  noteProblem(session, problem);
  const isWrong = missing.length + strangers.length > 0 || problem !== undefined;
  return isWrong ? EXIT_FAILED : EXIT_OK;
}

/** `func map check`: what is wrong or strange in the file, each with its place. 1 where it cannot be used. */
export async function mapCheck(session: Session, { mapFile }: MapPlace): Promise<number> {
  const connection = await session.connect();
  const place = mapFile !== undefined && { mapFile };
  const { file, problems } = await connection.request("map/validate", { ...place });
  if (session.options.json) session.out.result(`${JSON.stringify({ file, problems })}\n`);
  else if (problems.length === 0) session.out.result(`${file} is right.\n`);
  else {
    for (const { line, column, severity, message } of problems) {
      const at = line > 0 ? `:${line}:${column}` : "";
      session.out.result(`${file}${at}: ${severity}: ${message}\n`);
    }
  }
  if (!problems.some(({ severity }) => severity === "error")) return EXIT_OK;
  session.out.note(await wayOutOf(connection, mapFile));
  return EXIT_FAILED;
}

/** Which map calls go by while the file is wrong, and what to do. */
async function wayOutOf(
  connection: OverlordConnection,
  mapFile: string | undefined,
): Promise<string> {
  if (mapFile !== undefined) return "func: correct the file before calls name it.\n";
  const step = "Correct the file, or build the map anew: func build-map.";
  try {
    const { problem } = await connection.request("map/paths", { names: [] });
    return problem === undefined
      ? `func: calls go by this map as far as it is right. ${step}\n`
      : `func: the last good map stays in use. ${step}\n`;
  } catch {
    return `func: there is no good map to call by. ${step}\n`;
  }
}
