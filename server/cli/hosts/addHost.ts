import type { OverlordConnection } from "../../client/connection";
import { FuncError } from "../../common/errors";
import type { MinionRecord } from "../../protocol/minions";
import type { SshDestination } from "./destination";
import { lacksRoot, planPlace, type HostPlace } from "./hostPlan";
import { chooseNode, readProbe, type HostProbe, type RemoteNode } from "./hostProbe";
import type { AddHost } from "./hostsCommands";
import type { AddHostParts } from "./addHostParts";
import { admitHost } from "./admitHost";
import { checkSameName, chooseName } from "./hostName";
import { certifyHost } from "./certifyHost";
import { startHost } from "./startHost";
import { HostSetup } from "./hostSetup";
import type { HostSteps } from "./hostSteps";
import type { InstalledState } from "./installedState";
import { checkReport } from "./remoteFailure";
import { runScript } from "./remoteShell";
import { PROBE } from "./remoteScripts";
import type { SshSession } from "./sshSession";

const DEFAULT_PORT = 51_234;
/** A person may have to find a password first. */
const LOGIN_TIMEOUT_MS = 180_000;

/**
 * Makes a host a minion, or sees to it that it is a working one; returns its name once it has answered. Throws
 * FuncError that says what to do; what is done by then is taken up again by the next attempt.
 */
export async function addHost(
  parts: AddHostParts,
  session: SshSession,
  params: AddHost,
): Promise<string> {
  const { steps, signal, connection } = parts;
  const { destination } = session.settings;
  const resolved = await session.resolve(signal);
  const probe = await look(session, params.node, signal);
  steps.done(`logged in as ${probe.user}`);
  const node = chooseNode(probe, destination.text, params.node);
  const asUser =
    params.userUnit || (lacksRoot(probe) && (await parts.agreeToUser(probe, destination.text)));
  const place = planPlace(probe, destination.text, { ...params, asUser });
  tellNode(steps, node, place);
  const setup = new HostSetup(session, place, node.path, signal);
  const { sshOptions, identity } = params;
  const { home } = place;
  const known = await parts.hosts.nameAt({ destination: destination.text, sshOptions, home });
  const name = chooseName(params, destination, probe, known);
  const { certificates } = await connection.request("certmaster/list", {}, { signal });
  const state = await setup.inspect(certificates);
  checkSameName(name, params.name !== undefined, destination, state);
  if (state.enrolled && !state.revoked) await setup.prove(state.enrolled);
  const record = await recordOf(connection, name, signal);
  const port = params.port ?? state.listenPort ?? DEFAULT_PORT;
  const reach = { address: params.address ?? resolved.hostname, port };
  const at = { name, host: destination.text, ...reach };
  if (state.servedByOther) {
    if (!record || !state.enrolled || state.revoked) throw runsAlready(destination, place);
    steps.remark("A funcd that was started in another way serves it: it is left as it is.");
    const { address, port: present } = record;
    const { keyFingerprint } = state.enrolled;
    await admitHost(parts, { ...at, address, port: present, keyFingerprint });
    return name;
  }
  await bringProgram(parts, setup, state);
  if (state.program === undefined) steps.leaves(`the folder ${home}`);
  const certifying = { name, reach, state, record, certificates, destination };
  const { keyFingerprint, certified } = await certifyHost(parts, setup, params, certifying);
  if (certified || !state.running || state.program !== parts.program.sha256) {
    if (!state.running) steps.leaves(serviceOf(place));
    await startHost(parts, setup, place, at, node);
  } else {
    steps.done("funcd runs there already");
  }
  await admitHost(parts, { ...at, keyFingerprint });
  // last, as the inventory: what fails changes nothing of what is known of other minions
  await parts.hosts.put(name, {
    destination: destination.text,
    sshOptions,
    ...(identity !== undefined && { identity }),
    home,
    node: node.path,
    asRoot: place.asRoot,
    service: place.service,
  });
  await setup.keepNew();
  return name;
}

async function look(
  session: SshSession,
  node: string | undefined,
  signal: AbortSignal,
): Promise<HostProbe> {
  const { text: host } = session.settings.destination;
  const variables = { node: node ?? "" };
  const report = await runScript(session, PROBE, {
    variables,
    timeoutMs: LOGIN_TIMEOUT_MS,
    signal,
  });
  checkReport(report, { host, home: "the home folder" });
  return readProbe(report, host);
}

function tellNode(steps: HostSteps, node: RemoteNode, place: HostPlace): void {
  steps.done(`Node ${node.version} in ${node.path}`);
  if (place.asRoot && node.ownerUid !== undefined && node.ownerUid !== 0) {
    steps.remark(
      `${node.path} belongs to the user with id ${node.ownerUid}, not to root: whoever can change it can act as root there. Better install Node for the whole system, and add the host again.`,
    );
  }
}

async function recordOf(
  connection: OverlordConnection,
  name: string,
  signal: AbortSignal,
): Promise<MinionRecord | undefined> {
  const records = await connection.request("minions/list", {}, { signal });
  return records.find((record) => record.name === name);
}

async function bringProgram(
  { program, steps }: AddHostParts,
  setup: HostSetup,
  state: InstalledState,
): Promise<void> {
  if (state.program === program.sha256) return;
  await setup.copy(program);
  const kilobytes = Math.round(program.content.length / 1000);
  steps.done(
    state.program === undefined
      ? `copied funcd (${kilobytes} kB, checksum right)`
      : `replaced funcd by this version (${kilobytes} kB, checksum right)`,
  );
}

function serviceOf({ service, unitFile }: HostPlace): string {
  return service === "detached" ? "a funcd that may run" : `the service of ${unitFile}`;
}

function runsAlready({ text }: SshDestination, { home }: HostPlace): FuncError {
  return new FuncError(
    "conflict",
    `A funcd that func add-host did not start serves ${home} on ${text}.`,
    "Stop it there first, or give this one a folder and a port of its own: --remote-home DIR --port N.",
  );
}
