import type { SshDestination } from "./destination";

/** How ssh gets to a host. */
export interface SshChoices {
  sshOptions: string[];
  identity?: string;
}

/** `func add-host`. */
export interface AddHost extends SshChoices {
  kind: "addHost";
  destinations: SshDestination[];
  /** Of the minion, where there is one destination. */
  name?: string;
  /** Where funcd listens on the host. */
  port?: number;
  /** Where the overlord connects to, instead of the host name that ssh uses. */
  address?: string;
  node?: string;
  /** funcd's folder on the host. */
  home?: string;
  /** Runs funcd as the login user. */
  userUnit: boolean;
  /** Has systemd start it. */
  service: boolean;
  replace: boolean;
  yes: boolean;
}

/** `func remove-host`. */
export interface RemoveHost extends SshChoices {
  kind: "removeHost";
  name: string;
  /** Where to log in, instead of where it was added. */
  destination?: SshDestination;
  home?: string;
  keepFiles: boolean;
  /** The host is gone: nothing is done there. */
  offline: boolean;
  yes: boolean;
}
