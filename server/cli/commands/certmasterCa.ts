import { join } from "node:path";
import { matchesNameGlob, parseNameGlob } from "../../pki/certmaster/nameGlob";
import { subjectHash } from "../../pki/certificates/subjectHash";
import type { CertificateRecord, CertmasterList } from "../../protocol/certmaster";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { CERTMASTER_CA_HELP, type CertmasterCa } from "../parseCertmasterCa";
import { noteGroups } from "../noteGroups";
import type { Session } from "../session";

declare const __VERSION__: string;

/** `certmaster-ca`: the original's command, with its lines, for scripts that know them. */
export async function certmasterCa(session: Session, command: CertmasterCa): Promise<number> {
  const { out } = session;
  if (command.action === "help") {
    out.result(CERTMASTER_CA_HELP);
    return EXIT_OK;
  }
  if (command.action === "version") {
    out.result(`certmaster-ca ${__VERSION__}\n`);
    return EXIT_OK;
  }
  const connection = await session.connect();
  const list = await connection.request("certmaster/list", {});
  switch (command.action) {
    case "list": {
      const names = sorted(list.waiting.map(({ name }) => name));
      out.result(names.length === 0 ? "No certificates to sign\n" : lines(names));
      return EXIT_OK;
    }
    case "list-signed":
      out.result(lines(sorted(minionsOf(list).map(({ name }) => name))));
      return EXIT_OK;
    case "list-cert-hash":
      out.result(
        lines(
          sorted(live(list).map(({ name }) => name)).map((name) => `${name}-${subjectHash(name)}`),
        ),
      );
      return EXIT_OK;
    case "sign":
      return sign(session, list, command.hosts);
    case "clean":
      return clean(session, list, command.hosts);
  }
}

async function sign(session: Session, list: CertmasterList, hosts: string[]): Promise<number> {
  const connection = await session.connect();
  const { out } = session;
  const place = join(session.target.dataDirectory, "ca", "issued.json");
  let status = EXIT_OK;
  for (const host of hosts) {
    const names = matching(host, list.waiting);
    if (names.length === 0) {
      out.note(`No match for ${host} to sign\n`);
      status = EXIT_FAILED;
    }
    for (const name of names) {
      const [only, another] = list.waiting.filter((request) => request.name === name);
      if (only === undefined) continue;
      if (another !== undefined || only.replaces !== undefined) {
        const why = another ? "waits with several keys" : "has a certificate with another key";
        out.note(`${name} ${why}: use "func ca approve ${name}"\n`);
        status = EXIT_FAILED;
        continue;
      }
      const { keyFingerprint } = only;
      await connection.request("certmaster/approve", { name, keyFingerprint });
      out.result(`${name} signed - cert located at ${place}\n`);
    }
  }
  return status;
}

/** A host that is set up anew can ask again at once; one that only waits is denied for an hour. */
async function clean(session: Session, list: CertmasterList, hosts: string[]): Promise<number> {
  const connection = await session.connect();
  const known = new Set((await connection.request("minions/list", {})).map(({ name }) => name));
  let status = EXIT_OK;
  for (const host of hosts) {
    const signed = matching(host, minionsOf(list));
    const waiting = matching(host, list.waiting).filter((name) => !signed.includes(name));
    if (signed.length + waiting.length === 0) {
      session.out.note(`No match for ${host} to clean\n`);
      status = EXIT_FAILED;
    }
    if (signed.length > 0) {
      await connection.request("certmaster/revoke", {
        names: signed,
        reason: "certmaster-ca --clean",
      });
      const names = signed.filter((name) => known.has(name));
      if (names.length > 0) await connection.request("minions/forget", { names });
      await noteGroups(session, connection, names);
    }
    for (const { name, keyFingerprint } of list.waiting) {
      if (!waiting.includes(name)) continue;
      await connection.request("certmaster/deny", { name, keyFingerprint });
    }
  }
  return status;
}

function live({ certificates }: CertmasterList): CertificateRecord[] {
  const now = Date.now();
  return certificates.filter(({ revoked, notAfterMs }) => !revoked && notAfterMs > now);
}

function minionsOf(list: CertmasterList): CertificateRecord[] {
  return live(list).filter(({ role }) => role === "minion");
}

/** The names that the glob matches, each once. */
function matching(host: string, all: readonly { name: string }[]): string[] {
  const glob = parseNameGlob(host);
  return sorted(all.map(({ name }) => name).filter((name) => matchesNameGlob(glob, name)));
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
