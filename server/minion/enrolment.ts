import { createPrivateKey } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { askForCertificate, type AskParams } from "../pki/enrolment/ask";
import type { Enrolment } from "../pki/enrolment/enrolAnswer";
import { enroll } from "../pki/enrolment/enroll";
import { isWorthARetry } from "../pki/enrolment/worthARetry";
import { keyFingerprint } from "../pki/certificates/identity";
import {
  openPrivateKey,
  readCredentials,
  saveCredentials,
  type MinionCredentials,
} from "./minionCredentials";
import { ownCommand } from "./ownCommand";

/** A token lives 15 minutes unless its maker says otherwise; retrying longer is of no use. */
const TOKEN_LIFE_MS = 15 * 60_000;
const ATTEMPT_TIMEOUT_MS = 20_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

export interface EnrolmentParams {
  home: string;
  name: string;
  /** The port that this minion really listens on. */
  port: number;
  announce?: string;
  /** From the command line; else the file `<home>/join-token` is used, and removed afterwards. */
  joinToken?: string;
  /** Asks without a token instead, and waits for an operator. */
  ask?: AskOptions;
  log: Log;
  signal: AbortSignal;
}

/** How a host asks without a token; see `askForCertificate`. */
export type AskOptions = Pick<AskParams, "at" | "caFingerprint" | "timeoutMs" | "onState"> & {
  /** Told of this host's key before anything is sent, and to be asked about a CA that nothing is known of. */
  onKey: (name: string, keyFingerprint: string) => void;
  confirmAuthority: AskParams["confirmAuthority"];
};

/** Gets this minion its certificate. Throws FuncError, "not-found" where it has no token. */
export async function enrolMinion(params: EnrolmentParams): Promise<MinionCredentials> {
  const { home, name, port, announce, signal } = params;
  if (params.ask) return await askForCredentials(params, params.ask);
  const tokenFile = join(home, "join-token");
  const provisioned = params.joinToken === undefined ? await readTokenFile(tokenFile) : undefined;
  const token = params.joinToken ?? provisioned?.token;
  if (token === undefined) throw notEnrolled(home);
  const pkiFolder = join(home, "pki");
  const privateKeyPem = await openPrivateKey(pkiFolder);
  const attempt = (): ReturnType<typeof enroll> =>
    enroll({
      token,
      name,
      port,
      address: announce,
      privateKeyPem,
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      signal,
    });
  return await keep(
    home,
    provisioned ? await retry(attempt, provisioned.untilMs, params) : await attempt(),
  );
}

async function askForCredentials(
  { home, name, port, announce: address, signal }: EnrolmentParams,
  { onKey, ...ask }: AskOptions,
): Promise<MinionCredentials> {
  const pkiFolder = join(home, "pki");
  const privateKeyPem = await openPrivateKey(pkiFolder);
  onKey(name, keyFingerprint(createPrivateKey(privateKeyPem)));
  const asked = { ...ask, name, port, address, privateKeyPem, signal };
  return await keep(home, await askForCertificate(asked));
}

async function keep(
  home: string,
  { certificatePem, caPem }: Enrolment,
): Promise<MinionCredentials> {
  const pkiFolder = join(home, "pki");
  await saveCredentials(pkiFolder, { ca: caPem, certificate: certificatePem });
  await rm(join(home, "join-token"), { force: true });
  const credentials = await readCredentials(pkiFolder);
  if (!credentials) throw notEnrolled(home);
  return credentials;
}

async function retry<T>(
  attempt: () => Promise<T>,
  untilMs: number,
  { log, name, signal }: EnrolmentParams,
): Promise<T> {
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWorthARetry(error) || signal.aborted || Date.now() > untilMs) throw error;
      log.info("not enrolled yet", { name, problem: messageOf(error) });
    }
    // many new minions must not come back all at once
    await sleep(delayMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {
      throw new FuncError("cancelled", `the enrolment of ${name} was stopped`);
    });
  }
}

async function readTokenFile(
  file: string,
): Promise<{ token: string; untilMs: number } | undefined> {
  try {
    const token = (await readFile(file, "utf8")).trim();
    return { token, untilMs: (await stat(file)).mtimeMs + TOKEN_LIFE_MS };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FuncError("bad-data", `${file} cannot be read: ${messageOf(error)}`);
  }
}

function notEnrolled(home: string): FuncError {
  return new FuncError(
    "not-found",
    `the minion in ${home} is not enrolled with an overlord`,
    `Make a token on the overlord's machine (func ca token), then run: ${ownCommand()} join TOKEN; or ask without one: ${ownCommand()} join --ask HOST`,
  );
}
