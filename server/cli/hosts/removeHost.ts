import { readLine } from "../../common/readLine";
import type { OverlordConnection } from "../../client/connection";
import { FuncError } from "../../common/errors";
import type { CertificateRecord } from "../../protocol/certmaster";
import type { MinionRecord } from "../../protocol/minions";
import { atItsOverlord } from "../atItsOverlord";
import { needPerson } from "../needPerson";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { noteGroups } from "../noteGroups";
import type { Session } from "../session";
import { parseDestination, type SshDestination } from "./destination";
import { lacksRoot, planPlace, type HostPlace } from "./hostPlan";
import { isRecent, readProbe, type HostProbe } from "./hostProbe";
import type { RemoveHost } from "./hostsCommands";
import { HostsFile, type AddedHost } from "./hostsFile";
import { HostSetup } from "./hostSetup";
import { HostSteps } from "./hostSteps";
import { checkReport } from "./remoteFailure";
import { PROBE } from "./remoteScripts";
import { runScript } from "./remoteShell";
import { SshSession } from "./sshSession";

const LOGIN_TIMEOUT_MS = 180_000;
const LAST_ENTRIES = 10;

/**
 * `func remove-host NAME`: stops funcd there and takes its files away, then revokes its certificate and forgets
 * it. Where the host cannot be reached nothing is done, unless `offline`.
 */
export async function removeHost(session: Session, params: RemoveHost): Promise<number> {
  const { name, offline } = params;
  const connection = await session.connect();
  const record = await find(connection, name);
  if (!params.yes && !(await agreed(session, params))) {
    session.out.note("Nothing is removed.\n");
    return EXIT_FAILED;
  }
  const hosts = new HostsFile(session.target.dataDirectory);
  const added = await hosts.find(name);
  const steps = new HostSteps(session);
  steps.begin(name);
  try {
    if (offline) steps.remark("Nothing is changed on the host: its funcd and its files stay.");
    else
      await cleanHost(session, steps, {
        params,
        record,
        added,
        certificates: await certificatesOf(connection, name),
      });
    steps.done(
      (await revoke(connection, name)) ? "revoked its certificate" : "was revoked already",
    );
    await connection.request("minions/forget", { names: [name] });
    await hosts.put(name, undefined);
    steps.done("forgot it");
    await noteGroups(session, connection, [name]);
  } catch (error) {
    if (!(error instanceof FuncError)) throw error;
    steps.failed(error);
    if (!offline && isUnreachable(error)) {
      session.out.note(
        `    If the host is gone for good: func remove-host ${name} --offline revokes its certificate.\n`,
      );
    }
    return EXIT_FAILED;
  }
  if (session.options.json) session.out.result(`${JSON.stringify({ removed: name })}\n`);
  return EXIT_OK;
}

interface Removal {
  params: RemoveHost;
  record: MinionRecord;
  added: AddedHost | undefined;
  /** Of this name: only what they are for is to be taken away. */
  certificates: CertificateRecord[];
}

async function cleanHost(session: Session, steps: HostSteps, removal: Removal): Promise<void> {
  const { params, added, certificates } = removal;
  const destination = destinationOf(removal);
  const options = [...params.sshOptions, ...(added?.sshOptions ?? [])];
  const identity = params.identity ?? added?.identity;
  const ssh = await SshSession.create({ destination, options, identity });
  const interruption = new AbortController();
  session.onInterrupt(() => {
    interruption.abort();
  });
  const { signal } = interruption;
  try {
    const report = await runScript(ssh, PROBE, {
      variables: { node: added?.node ?? "" },
      timeoutMs: LOGIN_TIMEOUT_MS,
      signal,
    });
    checkReport(report, { host: destination.text, home: "the home folder" });
    const probe = readProbe(report, destination.text);
    steps.done(`logged in to ${destination.text} as ${probe.user}`);
    const place = placeOf(probe, removal, destination);
    const setup = new HostSetup(ssh, place, probe.nodes.find(isRecent)?.path ?? "", signal);
    const state = await setup.inspect(certificates).catch((error: unknown) => {
      throw isOther(error) ? notThisOne(params.name, destination, place) : error;
    });
    if (!state.enrolled && state.program === undefined) {
      steps.remark(`There is no funcd in ${place.home} (any more).`);
      return;
    }
    if (state.servedByOther) throw startedOtherwise(destination, place);
    const left = await setup.remove(params.keepFiles);
    steps.done(
      params.keepFiles
        ? `stopped funcd; its files stay in ${place.home}`
        : "stopped funcd and took its files away",
    );
    if (left.length > 0) {
      const names = left.slice(0, LAST_ENTRIES).map((entry) => entry.slice(0, 100));
      steps.remark(`Left in ${place.home}, for you to keep or remove: ${names.join(", ")}`);
    }
  } finally {
    session.onInterrupt(undefined);
    await ssh.close();
  }
}

function placeOf(probe: HostProbe, { params, added }: Removal, at: SshDestination): HostPlace {
  const home = params.home ?? added?.home;
  const asUser = added ? !added.asRoot : lacksRoot(probe);
  const wanted = { asUser, service: true, ...(home !== undefined && { home }) };
  return planPlace(probe, at.text, wanted);
}

function isOther(error: unknown): boolean {
  return error instanceof FuncError && error.reason === "conflict";
}

function notThisOne(name: string, { text }: SshDestination, { home }: HostPlace): FuncError {
  return new FuncError(
    "conflict",
    `What is in ${home} on ${text} is not the minion ${name}: nothing was removed there.`,
    `If it moved, name its host (--ssh [USER@]HOST) or folder (--remote-home DIR). If it is gone: func remove-host ${name} --offline`,
  );
}

function startedOtherwise({ text }: SshDestination, { home }: HostPlace): FuncError {
  return new FuncError(
    "conflict",
    `The funcd in ${home} on ${text} was not started by func add-host.`,
    "Stop it there first, and see to it that nothing starts it again.",
  );
}

function destinationOf({ params, record, added }: Removal): SshDestination {
  return params.destination ?? parseDestination(added?.destination ?? record.address);
}

/** False where nothing was left to revoke. */
async function revoke(connection: OverlordConnection, name: string): Promise<boolean> {
  try {
    const names = [name];
    await connection.request("certmaster/revoke", {
      names,
      role: "minion",
      reason: "host removed",
    });
    return true;
  } catch (error) {
    if (error instanceof FuncError && error.reason === "not-found") return false;
    throw error;
  }
}

async function certificatesOf(
  connection: OverlordConnection,
  name: string,
): Promise<CertificateRecord[]> {
  const { certificates } = await connection.request("certmaster/list", {});
  return certificates.filter((one) => one.name === name && one.role === "minion");
}

async function find(connection: OverlordConnection, name: string): Promise<MinionRecord> {
  // with the nearest names where there is none
  await atItsOverlord(connection, [name], "func remove-host", () =>
    connection.request("minions/match", { spec: name }),
  );
  const records = await connection.request("minions/list", {});
  const record = records.find((one) => one.name === name);
  if (record) return record;
  throw new FuncError("not-found", `There is no minion ${name}.`);
}

async function agreed(session: Session, { name, offline }: RemoveHost): Promise<boolean> {
  const what = offline
    ? `Revoke the certificate of ${name} and forget it?`
    : `Remove funcd from ${name}, revoke its certificate and forget it?`;
  needPerson(`whether to remove ${name}`);
  session.out.note(`${what} [y/N] `);
  return /^y(es)?$/i.test((await readLine()).trim());
}

function isUnreachable({ reason }: FuncError): boolean {
  return ["unreachable", "refused", "timed-out", "name-not-found"].includes(reason);
}
