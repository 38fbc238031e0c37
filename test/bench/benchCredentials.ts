import { generateKeyPair } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import type { Role } from "../../server/pki/certificates/identity";
import { generateKey } from "../../server/pki/certificates/keyFiles";

const generate = promisify(generateKeyPair);

/** PEM. */
export interface BenchCredentials {
  key: string;
  certificate: string;
  ca: string;
}

export type KeyKind = "EC" | "RSA";

/** A CA of its own in `folder`, and what it issues. */
export class BenchAuthority {
  private constructor(
    private readonly folder: string,
    private readonly authority: CertificateAuthority,
  ) {}

  static async create(folder: string): Promise<BenchAuthority> {
    return new BenchAuthority(folder, await CertificateAuthority.create(folder, "bench"));
  }

  async issue(role: Role, name: string, kind: KeyKind): Promise<BenchCredentials> {
    const { privateKeyPem, publicKey } = kind === "EC" ? await generateKey() : await rsaKey();
    const { certificatePem } = await this.authority.issue({ role, name, publicKey });
    return { key: privateKeyPem, certificate: certificatePem, ca: this.authority.certificatePem };
  }

  /** The same as files, for programs that want files. */
  async save(
    name: string,
    { key, certificate, ca }: BenchCredentials,
  ): Promise<{ key: string; certificate: string; ca: string }> {
    const files = {
      key: join(this.folder, `${name}.key`),
      certificate: join(this.folder, `${name}.crt`),
      ca: join(this.folder, `${name}-ca.crt`),
    };
    await writeFile(files.key, key, { mode: 0o600 });
    await writeFile(files.certificate, certificate);
    await writeFile(files.ca, ca);
    return files;
  }
}

async function rsaKey(): ReturnType<typeof generateKey> {
  const { privateKey, publicKey } = await generate("rsa", { modulusLength: 2048 });
  const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { privateKeyPem, publicKey };
}
