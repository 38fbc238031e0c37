import { isIP } from "node:net";
import { FuncError } from "../../common/errors";
import { isMinionName } from "../../common/minionName";
import type { SshDestination } from "./destination";
import type { HostProbe } from "./hostProbe";
import type { AddHost } from "./hostsCommands";
import type { InstalledState } from "./installedState";

/**
 * The name of the minion: as it was given, as the host was added before (`known`), else as the host was typed. Never
 * what the host says of itself: it may name another minion. Throws FuncError "bad-argument" where none was typed.
 */
export function chooseName(
  { name }: Pick<AddHost, "name">,
  { host, text }: SshDestination,
  probe: Pick<HostProbe, "hostname">,
  known: string | undefined,
): string {
  const typed = host.toLowerCase();
  const chosen = name ?? known;
  if (chosen !== undefined) return chosen;
  if (isIP(host) === 0 && isMinionName(typed) && typed !== "localhost") return typed;
  const own = probe.hostname.toLowerCase();
  throw new FuncError(
    "bad-argument",
    `${text} is no name for a minion.`,
    isMinionName(own) && own !== "localhost"
      ? `Give it one. The host says that it is ${own}; if that is right: --name ${own}`
      : "Give it one with --name.",
  );
}

/** Throws FuncError "conflict" where the host shows the certificate of another minion. */
export function checkSameName(
  name: string,
  given: boolean,
  { text }: SshDestination,
  { enrolled, revoked }: InstalledState,
): void {
  if (!enrolled || enrolled.name === name) return;
  if (revoked && given) return; // that one is of no use to anybody
  throw new FuncError(
    "conflict",
    `${text} says that it is the minion ${enrolled.name} already, not ${name}.`,
    `If that is right: func add-host ${text} --name ${enrolled.name}. To rename it, remove it first: func remove-host ${enrolled.name}`,
  );
}
