import type { OverlordConnection } from "../../client/connection";
import type { HostProbe } from "./hostProbe";
import type { FuncdProgram } from "./hostSetup";
import type { HostsFile } from "./hostsFile";
import type { HostSteps } from "./hostSteps";

/** What adding hosts works with. */
export interface AddHostParts {
  connection: OverlordConnection;
  hosts: HostsFile;
  program: FuncdProgram;
  steps: HostSteps;
  signal: AbortSignal;
  /** Asks whether funcd may run as this login user only. */
  agreeToUser(probe: HostProbe, host: string): Promise<boolean>;
  /**
   * Has a person name the minion that the host takes the place of, and that is revoked. Throws FuncError where that
   * does not happen.
   */
  agreeToReplace(name: string, host: string): Promise<void>;
}
