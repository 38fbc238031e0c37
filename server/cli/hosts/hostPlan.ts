import { createHash } from "node:crypto";
import { FuncError } from "../../common/errors";
import type { HostProbe } from "./hostProbe";
import type { AddedHost } from "./hostsFile";

export type ServiceKind = AddedHost["service"];

/** Where things go on a host, and as whom. */
export interface HostPlace {
  /** funcd runs, and its files belong to, root or the login user. */
  asRoot: boolean;
  /** The login user is not root, but sudo makes it that. */
  sudo: boolean;
  service: ServiceKind;
  /** funcd's folder. */
  home: string;
  /** Of systemd; also where none is installed. */
  serviceName: string;
  unitFile: string;
  /** The option of systemctl. */
  scope: "--system" | "--user";
}

const ROOT_HOME = "/var/lib/funcd";
const USER_HOME = ".local/share/funcd";

/**
 * Decides where funcd goes. `asUser`: as the login user even where root is to be had. Throws FuncError "denied"
 * where root is not to be had and was not waived.
 */
export function planPlace(
  probe: HostProbe,
  host: string,
  wanted: { asUser: boolean; service: boolean; home?: string },
): HostPlace {
  const asRoot = !wanted.asUser && (probe.isRoot || probe.sudo === "yes");
  if (!asRoot && !wanted.asUser) throw noRoot(probe, host);
  if (!asRoot && probe.homeFolder === undefined) {
    throw new FuncError(
      "unavailable",
      `${probe.user} has no usable home folder on ${host}.`,
      "Log in as another user, or name a folder with --remote-home.",
    );
  }
  const usual = asRoot ? ROOT_HOME : `${probe.homeFolder ?? ""}/${USER_HOME}`;
  const home = wanted.home ?? usual;
  const runs = asRoot ? probe.systemd : probe.userSystemd;
  const suffix = createHash("sha256").update(home).digest("hex").slice(0, 8);
  const serviceName = home === usual ? "funcd.service" : `funcd-${suffix}.service`;
  const units = asRoot ? "/etc/systemd/system" : `${probe.homeFolder ?? ""}/.config/systemd/user`;
  return {
    asRoot,
    sudo: asRoot && !probe.isRoot,
    service: !wanted.service || !runs ? "detached" : asRoot ? "system" : "user",
    home,
    serviceName,
    unitFile: `${units}/${serviceName}`,
    scope: asRoot ? "--system" : "--user",
  };
}

/** True where funcd could run as the login user only. */
export function lacksRoot(probe: HostProbe): boolean {
  return !probe.isRoot && probe.sudo !== "yes";
}

function noRoot({ user, sudo }: HostProbe, host: string): FuncError {
  return new FuncError(
    "denied",
    sudo === "password"
      ? `sudo asks ${user} for a password on ${host}, or does not allow root.`
      : `${user} is not root on ${host}, and there is no sudo.`,
    `Log in as root (root@${host.slice(host.lastIndexOf("@") + 1)}), allow ${user} sudo without a password, or add --user-unit: funcd then runs as ${user}, and can do what ${user} can.`,
  );
}
