import { utcTime } from "../../common/utcTime";
import { FuncError } from "../../common/errors";
import { defaultFuncdHome } from "../../common/funcdHome";
import type { OverlordConnection } from "../../client/connection";
import { EXIT_OK } from "../exitStatus";
import { LocalFuncd } from "../localFuncd";
import type { Session } from "../session";
import { installedService } from "./overlordService";

/** `func suboverlord status`: this host towards the overlord above, and what stands below it. */
export async function subOverlordStatus(
  session: Session,
  { funcdHome }: { funcdHome?: string },
): Promise<number> {
  const funcd = new LocalFuncd(funcdHome ?? defaultFuncdHome(process.env));
  await funcd.requireOwn();
  const above = await funcd.status();
  const dataDirectory = await funcd.subOverlord();
  const service = await installedService();
  const served = service !== undefined && service.dataDirectory === dataDirectory;
  const below = dataDirectory === session.target.dataDirectory ? await belowOf(session) : undefined;
  if (session.options.json) {
    const told = { funcdHome: funcd.home, ...above, dataDirectory, service: served, below };
    session.out.result(`${JSON.stringify(told)}\n`);
    return EXIT_OK;
  }
  const { name = "This host", certificateNotAfterMs, keyFingerprint, pid } = above;
  const lines = [
    keyFingerprint === undefined
      ? `${name} is not enrolled with an overlord above`
      : `${name} is enrolled above${certificateNotAfterMs === undefined ? "" : `, until ${utcTime(certificateNotAfterMs)}`}`,
    pid === undefined ? "its funcd does not run" : `its funcd runs, process ${pid}`,
    dataDirectory === undefined
      ? "it is no sub-overlord (func suboverlord init)"
      : `sub-overlord with the data directory ${dataDirectory}`,
    ...(dataDirectory === undefined
      ? []
      : [
          served
            ? `kept running by ${service.unit}`
            : "no service of its own: funcd starts the overlord where overlord.js lies beside funcd.js",
          ...belowLines(below, dataDirectory),
        ]),
  ];
  session.out.result(`${lines.join("\n")}\n`);
  return EXIT_OK;
}

interface Below {
  running: boolean;
  minions?: number;
  waiting?: number;
  /** Those directly below that the map of this sub-overlord has; absent where it has none. */
  map?: number;
}

/** Of the overlord that runs; none is started to be looked at. */
async function belowOf(session: Session): Promise<Below> {
  let connection: OverlordConnection;
  try {
    connection = await session.connect(false);
  } catch (error) {
    if (error instanceof FuncError && error.reason === "not-found") return { running: false };
    throw error;
  }
  const [status, list, map] = await Promise.all([
    connection.request("overlord/status", {}),
    connection.request("certmaster/list", {}),
    connection.request("map/read", {}).catch(() => undefined),
  ]);
  return {
    running: true,
    minions: status.minions,
    waiting: list.waiting.length,
    ...(map && { map: map.nodes.length }),
  };
}

function belowLines(below: Below | undefined, dataDirectory: string): string[] {
  if (!below) return [`for more: func suboverlord status --home ${dataDirectory}`];
  if (!below.running) return ["its overlord does not run at the moment"];
  const { minions = 0, waiting = 0, map } = below;
  return [
    `${minions} ${minions === 1 ? "minion" : "minions"} below it`,
    ...(waiting > 0 ? [`${waiting} waiting for a certificate (func ca waiting)`] : []),
    ...(map === undefined ? [] : [`a delegation map of its own, with ${map} directly below it`]),
  ];
}
