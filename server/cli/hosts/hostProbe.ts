import { FuncError } from "../../common/errors";
import { parseRemotePath } from "./destination";
import { first, type Report } from "./remoteShell";

export interface RemoteNode {
  path: string;
  version: string;
  /** Whose file it is; undefined where the host does not tell. */
  ownerUid?: number;
}

/** What is known of a host after the first look. */
export interface HostProbe {
  user: string;
  isRoot: boolean;
  /** Of the login user; where it is not usable, none. */
  homeFolder?: string;
  hostname: string;
  /** Whether sudo works: without a password, only with one, or there is none. */
  sudo: "yes" | "password" | "none";
  systemd: boolean;
  userSystemd: boolean;
  nodes: RemoteNode[];
}

const LEAST_MAJOR = 20;
const NODE_LINE = /^(\d+|unknown) (\d+\.\d+\.\d+)\S* (\/\S+)$/;

/** Throws FuncError "unavailable" where this is no host that can be set up. */
export function readProbe(report: Report, host: string): HostProbe {
  const system = first(report, "system") ?? "";
  if (!/^[A-Za-z0-9_-]{1,30}$/.test(system) || system !== "Linux") {
    throw new FuncError(
      "unavailable",
      `${host} is not Linux but ${JSON.stringify(system.slice(0, 30))}: funcd runs on Linux hosts.`,
    );
  }
  const homeFolder = usablePath(first(report, "home"));
  const sudo = first(report, "sudo");
  return {
    user: (first(report, "user") ?? "").slice(0, 100),
    isRoot: first(report, "uid") === "0",
    ...(homeFolder !== undefined && { homeFolder }),
    hostname: (first(report, "hostname") ?? "").slice(0, 253),
    sudo: sudo === "yes" || sudo === "password" ? sudo : "none",
    systemd: report.has("systemd"),
    userSystemd: report.has("usersystemd"),
    nodes: (report.get("node") ?? []).flatMap(readNode),
  };
}

/**
 * The Node to run funcd with. One of the system goes before one in somebody's home, for root above all. Throws
 * FuncError "not-found" that says what was found instead.
 */
export function chooseNode({ nodes }: HostProbe, host: string, asked?: string): RemoteNode {
  const good = nodes.filter(isRecent);
  const chosen = good.find(({ ownerUid }) => ownerUid === 0) ?? good[0];
  if (chosen) return chosen;
  const found = [...new Set(nodes.map(({ version, path }) => `${version} in ${path}`))];
  const where = asked === undefined ? host : `${asked} on ${host}`;
  throw new FuncError(
    "not-found",
    found.length > 0
      ? `funcd needs Node ${LEAST_MAJOR} or newer, but ${host} has ${found.slice(0, 3).join(", ")}.`
      : `There is no Node ${asked === undefined ? "on" : "at"} ${where}.`,
    `Install Node ${LEAST_MAJOR} or newer there (nodejs.org, NodeSource, or the distribution's package), or name it with --node PATH.`,
  );
}

/** True where funcd runs on it. */
export function isRecent({ version }: RemoteNode): boolean {
  return Number.parseInt(version, 10) >= LEAST_MAJOR;
}

function readNode(line: string): RemoteNode[] {
  const [, owner, version, rawPath] = NODE_LINE.exec(line) ?? [];
  const path = usablePath(rawPath);
  if (version === undefined || path === undefined) return [];
  return [{ path, version, ...(owner !== "unknown" && { ownerUid: Number(owner) }) }];
}

function usablePath(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : parseRemotePath("path", path);
  } catch {
    return undefined;
  }
}
