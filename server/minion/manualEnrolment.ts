import { X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../common/errors";
import { parseMinionName } from "../common/minionName";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import { createCsr } from "../pki/certificates/csr";
import { identityOf } from "../pki/certificates/identity";
import { checkRenewedCertificate } from "../pki/enrolment/renewal";
import {
  DEFAULT_PORT,
  hostMinionName,
  readConfiguration,
  writeConfiguration,
  type ListenAddress,
  type MinionConfiguration,
} from "./configuration";
import { makeHome } from "./homeFolder";
import {
  KEY_FILE,
  openPrivateKey,
  readCredentials,
  saveCredentials,
  type MinionCredentials,
} from "./minionCredentials";

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const MAX_TEXT = 256 * 1024;

/** These go before `minion.yaml` and are kept there. */
export interface ManualEnrolment {
  home: string;
  name?: string;
  listen?: ListenAddress;
}

/**
 * A certificate request (PEM) with this minion's key, which is made where there is none and stays here. Throws
 * FuncError "conflict" where the minion is enrolled under another name.
 */
export async function prepareRequest(params: ManualEnrolment): Promise<string> {
  await makeHome(params.home);
  const stored = await readConfiguration(configurationFile(params));
  const credentials = await readCredentials(pkiFolder(params));
  const name = nameFor(params, credentials?.name ?? stored.name, credentials);
  const key = credentials?.key ?? (await openPrivateKey(pkiFolder(params)));
  await keep(params, stored, name);
  return createCsr(name, key);
}

/**
 * Takes the certificate of this minion and its CA, as `func ca sign` prints them, in any order. Throws FuncError
 * "bad-data" where they are not for this minion's key and name or do not go together, "not-found" where this
 * minion has no key yet, "conflict" where it is enrolled with another CA.
 */
export async function installSigned(
  params: ManualEnrolment,
  text: string,
): Promise<{ name: string; notAfterMs: number }> {
  await makeHome(params.home);
  const { certificate, ca } = take(text);
  const stored = await readConfiguration(configurationFile(params));
  const present = await readCredentials(pkiFolder(params));
  const name = nameFor(params, present?.name ?? stored.name, present);
  if (present && !sharesAuthority(present.ca, ca)) {
    throw new FuncError(
      "conflict",
      `The minion in ${params.home} is enrolled with another certificate authority.`,
      `To change over to this one, move ${pkiFolder(params)} away first, and make a new request.`,
    );
  }
  const key = present?.key ?? (await keyOfRequest(params));
  const checked = checkRenewedCertificate(certificate, {
    name,
    key,
    authorities: readAuthorities(ca),
  });
  await keep(params, stored, name);
  await saveCredentials(pkiFolder(params), { ca, certificate: checked });
  return { name, notAfterMs: Date.parse(new X509Certificate(checked).validTo) };
}

async function keyOfRequest(params: ManualEnrolment): Promise<string> {
  const there = await stat(join(pkiFolder(params), KEY_FILE)).catch(() => undefined);
  if (there) return openPrivateKey(pkiFolder(params));
  throw new FuncError(
    "not-found",
    `The minion in ${params.home} has no key yet, so no certificate can be for it.`,
    "Make a request with funcd csr, and have that signed.",
  );
}

function take(text: string): { certificate: string; ca: string } {
  try {
    if (text.length > MAX_TEXT) throw new Error("it is too long");
    const blocks = text.match(BLOCK) ?? [];
    const leaves = blocks.filter((block) => !new X509Certificate(block).ca);
    const [certificate, ...more] = leaves;
    if (certificate === undefined) throw new Error("no minion's certificate is in it");
    if (more.length > 0) throw new Error("more than one minion's certificate is in it");
    const authorities = blocks.filter((block) => block !== certificate);
    if (authorities.length === 0) throw new Error("the CA's certificate is missing");
    const ca = authorities.map((block) => `${block}\n`).join("");
    readAuthorities(ca);
    if (identityOf(new X509Certificate(certificate)) === undefined) {
      throw new Error("the certificate names no minion");
    }
    return { certificate, ca };
  } catch (error) {
    throw new FuncError(
      "bad-data",
      `What was given is not what "func ca sign" prints: ${messageOf(error)}.`,
      "Give the certificate and the CA's, both in PEM form, in one file.",
    );
  }
}

function sharesAuthority(present: string, next: string): boolean {
  const known = new Set(readAuthorities(present).map(({ fingerprint256 }) => fingerprint256));
  return readAuthorities(next).some(({ fingerprint256 }) => known.has(fingerprint256));
}

function nameFor(
  { home, name }: ManualEnrolment,
  known: string | undefined,
  credentials: MinionCredentials | undefined,
): string {
  const asked = name === undefined ? undefined : parseMinionName(name);
  if (credentials && asked !== undefined && asked !== credentials.name) {
    throw new FuncError(
      "conflict",
      `The minion in ${home} is enrolled as ${credentials.name}, not as ${asked}.`,
      `Leave out --name, or move ${join(home, "pki")} away to enrol it under another name.`,
    );
  }
  return asked ?? known ?? hostMinionName();
}

async function keep(
  params: ManualEnrolment,
  stored: Partial<MinionConfiguration>,
  name: string,
): Promise<void> {
  const listen = params.listen ?? stored.listen ?? { host: "0.0.0.0", port: DEFAULT_PORT };
  await writeConfiguration(configurationFile(params), { ...stored, name, listen });
}

function configurationFile({ home }: ManualEnrolment): string {
  return join(home, "minion.yaml");
}

function pkiFolder({ home }: ManualEnrolment): string {
  return join(home, "pki");
}
