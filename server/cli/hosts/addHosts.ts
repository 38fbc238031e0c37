import { join } from "node:path";
import { readLine } from "../../common/readLine";
import { sshHosts } from "../../client/sshHosts";
import { FuncError, messageOf } from "../../common/errors";
import { nearestNames } from "../../targets/nearestNames";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import type { Session } from "../session";
import { addHost } from "./addHost";
import type { AddHostParts } from "./addHostParts";
import type { HostProbe } from "./hostProbe";
import type { AddHost } from "./hostsCommands";
import { HostsFile } from "./hostsFile";
import { readFuncdProgram } from "./hostSetup";
import { HostSteps } from "./hostSteps";
import { SshSession } from "./sshSession";

/** `left`: what a host that was not added has by now. */
type Outcome = { name: string } | { error: string; reason: string; left: string[] };

/** `func add-host`: one host after the other, since each may ask for a password. */
export async function addHosts(session: Session, params: AddHost): Promise<number> {
  // the bundles lie side by side
  const program = await readFuncdProgram(join(__dirname, "funcd.js"));
  const connection = await session.connect();
  const before = await connection.request("minions/list", {});
  const interruption = new AbortController();
  const steps = new HostSteps(session);
  const parts: AddHostParts = {
    connection,
    hosts: new HostsFile(session.target.dataDirectory),
    program,
    steps,
    signal: interruption.signal,
    agreeToUser: (probe, host) => agreeToUser(session, params, probe, host),
    agreeToReplace: (name, host) => agreeToReplace(session, params, name, host),
  };
  session.onInterrupt(() => {
    interruption.abort();
  });
  const outcomes = new Map<string, Outcome>();
  for (const destination of params.destinations) {
    steps.begin(destination.text);
    const { sshOptions: options, identity } = params;
    const ssh = await SshSession.create({ destination, options, identity });
    try {
      outcomes.set(destination.text, { name: await addHost(parts, ssh, params) });
    } catch (error) {
      // the others end the same way, and at once
      const failure = interruption.signal.aborted
        ? cancelled(destination.text)
        : await withNearest(asFuncError(error), destination.host);
      steps.failed(failure);
      const { message, reason } = failure;
      outcomes.set(destination.text, { error: message, reason, left: [...steps.left] });
    } finally {
      await ssh.close();
    }
  }
  session.onInterrupt(undefined);
  tell(session, params, outcomes);
  const added = [...outcomes.values()].filter((outcome) => "name" in outcome);
  if (before.length === 0 && added.length > 0) {
    session.out.note(
      "This is the first host. Keep a copy of the certificate authority in a safe place (func overlord backup FILE): without it every host has to be added anew, and whoever has it owns them all.\n",
    );
  }
  return added.length === params.destinations.length ? EXIT_OK : EXIT_FAILED;
}

function tell(session: Session, params: AddHost, outcomes: Map<string, Outcome>): void {
  if (session.options.json) {
    session.out.result(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
    return;
  }
  const names = [...outcomes.values()].flatMap((one) => ("name" in one ? [one.name] : []));
  for (const name of names) session.out.result(`${name}\n`);
  const total = params.destinations.length;
  if (total === 1) return;
  const missing = params.destinations.filter(({ text }) => {
    const outcome = outcomes.get(text);
    return !outcome || "error" in outcome;
  });
  session.out.note(
    `${names.length} of ${total} hosts are minions now.` +
      (missing.length > 0 ? ` Not: ${missing.map(({ text }) => text).join(", ")}.` : "") +
      "\n",
  );
}

async function agreeToUser(
  session: Session,
  { yes }: AddHost,
  { user }: HostProbe,
  host: string,
): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  session.out.note(
    `  ? ${user} cannot become root on ${host} without a password. Run funcd as ${user}, able to do what that user can? [y/N] `,
  );
  return /^y(es)?$/i.test((await readLine()).trim());
}

async function agreeToReplace(
  session: Session,
  params: AddHost,
  name: string,
  host: string,
): Promise<void> {
  if (params.yes && params.name === name) return;
  if (params.yes || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new FuncError(
      "bad-argument",
      `${host} would take the place of ${name}, whose certificate is revoked then, and nobody has said so.`,
      `If it is to, name it: --name ${name} --replace --yes`,
    );
  }
  session.out.note(
    `  ? ${host} takes the place of ${name}: the certificate of the old ${name} is revoked, and it cannot be called any more. Type the name ${name} to go on: `,
  );
  if ((await readLine()).trim().toLowerCase() === name) return;
  throw new FuncError("cancelled", `${name} stays as it is.`);
}

/** For a misspelt host, those of the user's SSH configuration that are spelt alike. */
async function withNearest(error: FuncError, host: string): Promise<FuncError> {
  if (error.reason !== "name-not-found") return error;
  const names = (await sshHosts()).map(({ name }) => name);
  const nearest = nearestNames(host, names);
  if (nearest.length === 0) return error;
  const meant = `Did you mean ${nearest.join(", ")}, of your ~/.ssh/config?`;
  return new FuncError(error.reason, error.message, meant);
}

function asFuncError(error: unknown): FuncError {
  return error instanceof FuncError ? error : new FuncError("internal", messageOf(error));
}

function cancelled(host: string): FuncError {
  return new FuncError(
    "cancelled",
    `Adding ${host} was cancelled.`,
    "Add it again to go on where this ended.",
  );
}
