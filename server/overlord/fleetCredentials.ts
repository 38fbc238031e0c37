import { createPublicKey, X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FuncError, messageOf } from "../common/errors";
import type { Log } from "../common/log";
import { isMinionName } from "../common/minionName";
import { importAuthority, type AuthorityImport } from "../pki/authority/importAuthority";
import { CertificateAuthority } from "../pki/authority/certificateAuthority";
import { readAuthorities } from "../pki/certificates/certificateBundle";
import { identityOf, keyFingerprint, verifyMinionPeer } from "../pki/certificates/identity";
import {
  keepAsFormer,
  openFormerCredentials,
  openOverlordCredentials,
  type Credentials,
} from "../pki/authority/overlordCredentials";
import { isIssuedBy } from "../pki/enrolment/renewal";
import { revokedPeer } from "../pki/authority/revokedPeer";
import { subjectNameOf, type SubjectName } from "../pki/certificates/subjectName";
import type { OutputSpool } from "../wire/outputSpool";
import type { PeerCertificate } from "../wire/peerCertificate";
import type { WireClient } from "../wire/wireClient";
import type { VerifyPeer } from "../wire/wireConnection";

/** How often it is looked whether the overlord's certificate has to be renewed. */
const RENEWAL_CHECK_MS = 60 * 60_000;

const SENT_LOOK_MS = 20;

/** The minions that this overlord knows, and under which keys while their certificates are renewed. */
export interface KnownMinions {
  readonly size: number;
  /** The keys that a peer may show besides the one it is known by. */
  successorsOf(peer: { name: string; keyFingerprint?: string }): readonly string[];
  sawKey(name: string, keyFingerprint: string): void;
}

/** The CA of this data directory, and the client that shows the overlord's certificate. */
export class FleetCredentials {
  private readonly caFolder: string;
  private readonly ownFolder: string;
  private opened: CertificateAuthority | undefined;
  private creating: Promise<CertificateAuthority> | undefined;
  private importing: Promise<CertificateAuthority> | undefined;
  private current: { client: Promise<WireClient>; checkedMs: number } | undefined;
  private own: Credentials | undefined;
  /** Of the CA that is being replaced; only while the own one is of the CA that takes its place. */
  private former: Credentials | undefined;
  /** Clients that show another certificate than the present one, and may have calls to send. */
  private replaced: WireClient[] = [];
  private formerWire: { client: WireClient; credentials: Credentials } | undefined;
  private onRevokedListener: () => void = () => undefined;
  private readonly revoked = (certificate: PeerCertificate): FuncError | undefined =>
    this.opened && revokedPeer(this.opened, certificate);
  /** For every client: asked on each connection and on each reuse of one. */
  private readonly verifyPeer: VerifyPeer = (certificate, peer) => {
    verifyMinionPeer(certificate, peer, this.keys.successorsOf(peer));
    const revoked = this.revoked(certificate);
    if (revoked) throw revoked;
    const shown = identityOf(certificate)?.keyFingerprint;
    if (shown !== undefined) this.keys.sawKey(peer.name, shown);
  };

  constructor(
    dataDirectory: string,
    private readonly log: Log,
    private readonly spool: OutputSpool,
    private readonly keys: KnownMinions,
  ) {
    this.caFolder = join(dataDirectory, "ca");
    this.ownFolder = join(dataDirectory, "credentials");
  }

  /** Opens the CA if there is one. Throws FuncError where it is damaged. */
  async open(): Promise<void> {
    const found = await CertificateAuthority.open(this.caFolder);
    if (!found && this.keys.size > 0) throw this.lostAuthority();
    this.use(found);
  }

  /** The CA; undefined where none was made yet. */
  existingAuthority(): CertificateAuthority | undefined {
    return this.opened;
  }

  /** The CA, made where there is none. Throws FuncError "bad-data" where minions have certificates of one. */
  async authority(): Promise<CertificateAuthority> {
    await this.importing?.catch(() => undefined); // who asked for that was told
    if (this.opened) return this.opened;
    if (this.keys.size > 0) throw this.lostAuthority();
    this.creating ??= CertificateAuthority.create(this.caFolder, overlordName()).finally(() => {
      this.creating = undefined;
    });
    return this.use(await this.creating);
  }

  private lostAuthority(): FuncError {
    const minions =
      this.keys.size === 1
        ? "a minion has a certificate"
        : `${this.keys.size} minions have certificates`;
    return new FuncError(
      "bad-data",
      `There is no CA in ${this.caFolder}, while ${minions} of one: another CA would lose them.`,
      "Restore that folder from a backup; or, to begin anew, move inventory.json away and enrol every host again.",
    );
  }

  /** Makes an existing CA this overlord's. Throws FuncError "conflict" where there is one, or any minion. */
  async importAuthority(given: AuthorityImport): Promise<void> {
    if (this.keys.size > 0) {
      throw new FuncError(
        "conflict",
        `There are ${this.keys.size} minions with certificates of another CA: importing one would lose them.`,
        "Import it into a data directory of its own: --home, or FUNC_HOME.",
      );
    }
    await this.creating?.catch(() => undefined);
    if (this.importing) throw new FuncError("conflict", "Another CA is just being imported.");
    this.importing = importAuthority(this.caFolder, given).finally(() => {
      this.importing = undefined;
    });
    this.use(await this.importing);
  }

  /** The client for calls. Throws FuncError "unavailable" where there is no CA, so no minion either. */
  async wire(): Promise<WireClient> {
    const now = Date.now();
    const { current } = this;
    if (current && now - current.checkedMs < RENEWAL_CHECK_MS) return current.client;
    const client = this.openClient(current?.client);
    this.current = { client, checkedMs: now };
    try {
      return await client;
    } catch (error) {
      // what worked until now goes on working while renewal fails
      this.current = current && { client: current.client, checkedMs: now };
      if (!current) throw error;
      this.log.error("the overlord's certificate cannot be renewed", { problem: messageOf(error) });
      return current.client;
    }
  }

  /** The client for minions that do not know a new CA yet: as `wire` while there is none. */
  async tellingWire(): Promise<WireClient> {
    const wire = await this.wire();
    const { former } = this;
    if (!former) return wire;
    if (this.formerWire?.credentials.certificate !== former.certificate) {
      this.formerWire = { client: await this.newClient(former), credentials: former };
    }
    return this.formerWire.client;
  }

  /**
   * Goes over to a certificate of the CA that takes the other's place; the present one is kept, for minions that
   * do not know that CA. For when they all were told.
   */
  async useNextAuthority(): Promise<void> {
    const { rotation } = this.opened ?? {};
    if (!rotation) return;
    await this.wire();
    await keepAsFormer(this.ownFolder);
    await rotation.useOwnNext();
    await this.renewOwn();
  }

  /** Returns once every call under an earlier certificate has been sent, or after `withinMs`. */
  async untilSent(withinMs: number): Promise<void> {
    const untilMs = Date.now() + withinMs;
    while (this.replaced.some((client) => client.unsent > 0) && Date.now() < untilMs) {
      await sleep(SENT_LOOK_MS);
    }
  }

  /** Called whenever there is a new revocation list. */
  onRevoked(listener: () => void): void {
    this.onRevokedListener = listener;
  }

  /** Looks now whether the overlord's own certificate is to be made, or renewed. */
  async renewOwn(): Promise<void> {
    if (this.current) await this.leaveKeys(new Set());
    else await this.wire();
  }

  /** Fingerprints of the keys that the overlord shows: while the CA is replaced there may be two. */
  ownKeys(): Set<string> {
    const shown = [this.own, this.former].filter((one) => one !== undefined);
    return new Set(shown.map(({ certificate }) => keyFingerprint(createPublicKey(certificate))));
  }

  /** Goes over to a new certificate where the present one is on one of these keys, which are to be revoked. */
  async leaveKeys(fingerprints: ReadonlySet<string>): Promise<void> {
    if (!this.current) return;
    const client = this.openClient(this.current.client, fingerprints);
    await client; // it stays as it is where that fails
    this.current = { client, checkedMs: Date.now() };
  }

  /** Connections to minions that are revoked by now end, and calls on them. */
  private async afterRevocation(): Promise<void> {
    const client = await this.current?.client.catch(() => undefined);
    client?.dropRevoked();
    this.formerWire?.client.dropRevoked();
  }

  private use<A extends CertificateAuthority | undefined>(authority: A): A {
    this.opened = authority;
    authority?.onRevoked(() => {
      void this.afterRevocation();
      this.onRevokedListener();
    });
    return authority;
  }

  /**
   * A client for renewals and nothing else: it also takes certificates that have expired, of the right name, on
   * a known key, and from this CA. Whoever asked closes it.
   */
  async renewalClient(): Promise<WireClient> {
    await this.wire();
    const own = this.former ?? this.own;
    if (!own) throw new FuncError("internal", "The overlord has no certificate.");
    const authorities = readAuthorities(own.ca);
    const { WireClient } = await import("../wire/wireClient");
    return new WireClient({
      ...own,
      verifyPeer: this.verifyPeer,
      revoked: this.revoked,
      acceptExpired: (certificate) =>
        authorities.some(
          (authority) =>
            isIssuedBy(certificate, authority) && Date.parse(authority.validTo) > Date.now(),
        ),
    });
  }

  /** The subject of the overlord's own certificate, as the original's access rules name it. */
  async ownSubject(): Promise<SubjectName> {
    await this.wire();
    const subject = this.own && subjectNameOf(new X509Certificate(this.own.certificate));
    if (!subject) throw new FuncError("internal", "The overlord has no certificate.");
    return subject;
  }

  /**
   * A client for looking at hosts that are no minions yet: `verifyPeer` alone judges who they are. Whoever asked
   * closes it.
   */
  async inspectionClient(verifyPeer: VerifyPeer): Promise<WireClient> {
    await this.wire();
    const own = this.former ?? this.own; // these hosts know the old CA only
    if (!own) throw new FuncError("internal", "The overlord has no certificate.");
    const { WireClient } = await import("../wire/wireClient");
    return new WireClient({ ...own, verifyPeer, revoked: this.revoked });
  }

  /** Ends all connections to minions. */
  async close(): Promise<void> {
    const client = await this.current?.client.catch(() => undefined);
    client?.close();
    this.formerWire?.client.close();
  }

  /** A replaced client is not closed: its calls end by themselves, its idle connections too. */
  private async openClient(
    previous: Promise<WireClient> | undefined,
    leaving?: ReadonlySet<string>,
  ): Promise<WireClient> {
    const authority = this.opened;
    if (!authority) {
      throw new FuncError(
        "unavailable",
        "The overlord has no certificate authority yet.",
        "Create a join token for the first host: that makes it.",
      );
    }
    const { ownFolder } = this;
    const name = overlordName();
    // this first: once the own one is of the new CA, it has to be there
    const former = await openFormerCredentials(ownFolder, authority, name, leaving);
    const credentials = await openOverlordCredentials(ownFolder, authority, name, leaving).catch(
      (error: unknown) => {
        if (!former) throw error;
        return { ...former, problem: messageOf(error) };
      },
    );
    for (const { problem } of former ? [former, credentials] : [credentials]) {
      if (problem === undefined) continue;
      this.log.error("the overlord's certificate is due, and cannot be renewed", { problem });
    }
    const { own } = this;
    this.former = former;
    if (!former) this.formerWire = undefined; // what it has under way ends by itself
    const isSame = credentials.certificate === own?.certificate && credentials.ca === own.ca;
    if (previous && isSame) return previous;
    this.own = credentials;
    const client = await this.newClient(credentials);
    const before = await previous?.catch(() => undefined);
    this.replaced = [...this.replaced, ...(before ? [before] : [])].filter((one) => one.unsent > 0);
    return client;
  }

  private async newClient(credentials: Credentials): Promise<WireClient> {
    // with TLS and all: what the first call needs, and no start
    const { WireClient } = await import("../wire/wireClient");
    return new WireClient({
      ...credentials,
      verifyPeer: this.verifyPeer,
      revoked: this.revoked,
      spool: this.spool,
    });
  }
}

/** This host's name, as certificates can hold it. */
export function overlordName(): string {
  const name = hostname().toLowerCase();
  return isMinionName(name) ? name : "overlord";
}
