import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { FuncError } from "../../common/errors";
import { parseMinionName } from "../../common/minionName";
import type { CertificateRecord } from "../../protocol/certmaster";
import { anotherKey } from "../certificates/anotherKey";
import { certificateFingerprint, certificatePem } from "../certificates/certificate";
import { MAX_DAYS } from "../certificates/certificateDays";
import { keyFingerprint, type Role } from "../certificates/identity";
import {
  signRevocationList,
  verifyRevocationList,
  type SignedRevocationList,
} from "../documents/revocationList";
import type { RenewalProof } from "../enrolment/renewal";
import { createCrl } from "../revocation/crl";
import { RevocationBook } from "../revocation/revocationBook";
import { selectRevoked, type Revoking, type RevokeSelection } from "../revocation/revokeSelection";
import {
  revokedPath,
  type Revocations,
  type RevokedRecord,
  type SignList,
} from "../revocation/revokedFile";
import {
  createAuthorityFiles,
  issuedPath,
  readAuthority,
  type AuthorityFiles,
  type Signer,
} from "./authorityFiles";
import type { AuthorityKey } from "./authorityKey";
import { AuthorityRotation } from "./authorityRotation";
import { IssuedBook } from "./issuedBook";
import type { IssuedCertificate } from "./issuedFile";
import { signLeaf } from "./leafCertificate";
import { revokedKey, revokedMeanwhile } from "./refusedKey";
import { SubjectLocks, lockKeyOf } from "./subjectLocks";

const DAY_MS = 24 * 60 * 60 * 1000;

export interface IssueParams {
  role: Role;
  /** The only thing the subject and the alternative names are made of. */
  name: string;
  publicKey: KeyObject;
  /** Whole or part days, at most 825 and never beyond the CA's own end. */
  days?: number;
  /** By which right it is renewed: void once that is revoked. */
  renewal?: RenewalProof;
  /** Which CA issues it while there are two; by default the one that all who have to judge it trust. */
  by?: "present" | "next";
}

/**
 * The fleet's certificate authority, in a folder of its own: `ca.key` (which signs and does nothing else),
 * `ca.crt`, `issued.json`, the list of what it issued, and `revoked.json`, what of that was revoked.
 */
export class CertificateAuthority {
  /** Which CAs are trusted, and how far the replacement of the CA is. */
  readonly rotation: AuthorityRotation;
  private readonly issued: IssuedBook;
  private readonly book: RevocationBook;
  /** Who is given a certificate and who loses it is decided one after the other, for each name. */
  private readonly locks: SubjectLocks;
  private onRevokedListener: () => void = () => undefined;

  private constructor(folder: string, files: AuthorityFiles) {
    const { key, certificate, next, rotation: state } = files;
    this.rotation = new AuthorityRotation(folder, { present: { key, certificate }, next, state });
    this.issued = new IssuedBook(issuedPath(folder), files.issued);
    const sign: SignList = (list) => (this.lock.isLocked ? undefined : this.signed(list).document);
    this.book = new RevocationBook(revokedPath(folder), sign, files.revocations);
    this.locks = SubjectLocks.of(folder);
  }

  /** The CA's certificate; while it is replaced, of the one that goes. */
  get certificatePem(): string {
    return certificatePem(this.rotation.present.certificate);
  }

  /** hex SHA-256 of the CA's certificate (DER); what a join token pins. */
  get fingerprint(): string {
    return certificateFingerprint(this.rotation.present.certificate);
  }

  /** The CA's key, which may be locked: then nothing can be signed, whatever it is. */
  get lock(): AuthorityKey {
    return this.rotation.present.key;
  }

  /** The end of the CA's own certificate. */
  get notAfterMs(): number {
    return Date.parse(this.rotation.present.certificate.validTo);
  }

  /** True where the CA that takes the other's place has issued this certificate. */
  isByNext(serial: string): boolean {
    const { nextFingerprint } = this.rotation;
    return nextFingerprint !== undefined && this.issued.issuerOf(serial) === nextFingerprint;
  }

  /** Throws as `AuthorityRotation.start`. */
  async startRotation(name: string, passphrase: string | undefined): Promise<void> {
    await this.rotation.start(name, passphrase);
    await this.book.signAgain();
  }

  /** The new CA takes the place of the old one, for good. Throws as `AuthorityRotation.finish`. */
  async finishRotation(): Promise<void> {
    this.rotation.keys(); // a list that only the old CA has signed would mean nothing afterwards
    await this.book.signAgain();
    await this.rotation.finish();
  }

  /** Takes the new CA back. Throws FuncError "conflict" where it has issued certificates. */
  async abortRotation(): Promise<void> {
    const wasRenewing = this.rotation.phase === "renewing";
    await this.rotation.pause();
    await this.issued.update((issued) => issued); // what was being issued is noted by then
    if (
      this.issued.records.some((record) => this.isByNext(record.serial) && record.released !== true)
    ) {
      if (wasRenewing) await this.rotation.renew();
      throw new FuncError(
        "conflict",
        "The new CA has issued certificates already.",
        "Go on with it, and finish it: func ca rotate --status",
      );
    }
    await this.rotation.abort();
  }

  /** The CA in `folder`; undefined where none was made yet. Throws FuncError "bad-data" where it is damaged. */
  static async open(folder: string): Promise<CertificateAuthority | undefined> {
    const absolute = resolve(folder);
    const files = await readAuthority(absolute);
    return files && new CertificateAuthority(absolute, files);
  }

  /**
   * Makes the CA, or opens the one that is there: called twice at the same time, both get the same. `name` is
   * for people, it becomes part of the CA's subject.
   */
  static async create(folder: string, name: string): Promise<CertificateAuthority> {
    const absolute = resolve(folder);
    const existing = await CertificateAuthority.open(absolute);
    if (existing !== undefined) return existing;
    await createAuthorityFiles(absolute, name);
    const created = await CertificateAuthority.open(absolute);
    if (created === undefined) throw new FuncError("internal", `No CA came about in ${folder}.`);
    return created;
  }

  /**
   * Notes a certificate that this CA issued before it was imported, so that it can be listed and revoked, and its
   * name is taken. Throws FuncError "denied" where its key was revoked, "conflict" where the name has another key.
   */
  async takeIn(record: CertificateRecord): Promise<void> {
    const { name, keyFingerprint: key, serial } = record;
    await this.locks.run([lockKeyOf(record)], async () => {
      this.checkKey(name, key);
      const holder = this.liveMinion(name);
      if (holder && holder.keyFingerprint !== key) throw anotherKey(name);
      const isKnown = (one: CertificateRecord): boolean =>
        one.serial === serial && one.keyFingerprint === key;
      await this.issued.update((issued) => [...issued.filter((one) => !isKnown(one)), record]);
    });
  }

  /**
   * Issues a certificate and notes it in `issued.json` before it is given out. Does not ask whether the name
   * is taken: renewal issues for a taken one. Throws FuncError "bad-argument", "denied" where the key, or what
   * `renewal` goes by, was revoked, or "unavailable" where the CA itself has expired.
   */
  async issue(params: IssueParams): Promise<{ certificatePem: string; record: CertificateRecord }> {
    return this.locks.run([lockKeyOf(params)], () => this.issueInTurn(params));
  }

  private async issueInTurn(
    params: IssueParams,
  ): Promise<{ certificatePem: string; record: CertificateRecord }> {
    this.checkKey(params.name, keyFingerprint(params.publicKey));
    this.checkProof(params);
    const signer = this.signerOf(params);
    const certificate = signLeaf(params, signer);
    const { next, nextFingerprint } = this.rotation;
    const record: CertificateRecord = {
      name: parseMinionName(params.name),
      role: params.role,
      serial: certificate.serialNumber,
      keyFingerprint: keyFingerprint(params.publicKey),
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
    };
    const isByNext = signer === next;
    const line = isByNext ? { ...record, issuer: nextFingerprint } : record;
    await this.issued.update((issued) => [...issued, line]);
    return { certificatePem: certificatePem(certificate), record };
  }

  /**
   * A certificate of two days (a token lives for one at most) for the certmaster's listener. It is nobody's identity and stays in memory,
   * therefore it is not noted. `shown`: the CA (its fingerprint) that hosts know already.
   */
  issueCertmaster(
    name: string,
    publicKey: KeyObject,
    shown?: string,
  ): { certificatePem: string; caPem: string; caFingerprint: string } {
    const { present, next, nextFingerprint } = this.rotation;
    const isNext = shown === undefined ? this.rotation.isOwnNext : shown === nextFingerprint;
    const signer = isNext && next ? next : present;
    return {
      certificatePem: certificatePem(signLeaf({ role: "certmaster", name, publicKey }, signer)),
      caPem: certificatePem(signer.certificate),
      caFingerprint: certificateFingerprint(signer.certificate),
    };
  }

  /** What was issued, in order; expired ones stay for 90 days. */
  list(): CertificateRecord[] {
    return this.issued.records.map((issued) => this.recordOf(issued));
  }

  /** The newest certificate of this minion that has not expired and whose name was not released. */
  liveMinion(name: string): CertificateRecord | undefined {
    const minion = name.toLowerCase();
    const now = Date.now();
    const live = this.issued.records.findLast(
      (record) =>
        record.role === "minion" &&
        record.name === minion &&
        record.released === undefined &&
        this.revocationOf(record.keyFingerprint) === undefined &&
        record.notAfterMs > now,
    );
    return live && this.recordOf(live);
  }

  /**
   * Revokes certificates, and with them their keys in whatever certificate they appear; durable when it
   * returns. Of a name that is all that was issued until then, also while this waited. Gives those that were
   * not revoked before. Throws FuncError "not-found" for an unknown serial,
   * "unavailable" while the CA is locked.
   */
  async revoke(params: Revoking): Promise<CertificateRecord[]> {
    const { names = [], role = "minion" } = params;
    const concerned = [...names.map((name) => ({ role, name })), ...this.selectedBy(params)];
    return this.locks.run(concerned.map(lockKeyOf), () => this.revokeInTurn(params));
  }

  private async revokeInTurn(params: Revoking): Promise<CertificateRecord[]> {
    this.lock.get(); // a list that nobody can sign would reach nobody
    await this.issued.refresh();
    const selected = this.selectedBy(params).filter(
      ({ keyFingerprint: key }) => params.spare?.has(key) !== true,
    );
    const revoked = { atMs: Date.now(), reason: params.reason };
    await this.note(
      selected.map(({ serial, keyFingerprint: key, role, name, notAfterMs }) => {
        return { serial, keyFingerprint: key, role, name, notAfterMs, ...revoked };
      }),
    );
    const serials = new Set(selected.map(({ serial }) => serial));
    // revoked.json counts; this lets it be noticed when that is gone, and the next revocation does it again
    await this.issued
      .update((issued) =>
        issued.map((record) => (serials.has(record.serial) ? { ...record, revoked } : record)),
      )
      .catch(() => undefined);
    return selected.map((record) => ({ ...record, revoked }));
  }

  /** Called whenever there is a new revocation list. */
  onRevoked(listener: () => void): void {
    this.onRevokedListener = listener;
  }

  /** What `revoke` would revoke. */
  selectedBy(selection: RevokeSelection): CertificateRecord[] {
    return selectRevoked(this.list(), selection);
  }

  /** The revocation of this key (hex SHA-256), if it was revoked. */
  revocationOf(fingerprint: string): RevokedRecord | undefined {
    return this.book.find(fingerprint);
  }

  /** How many keys of this name are revoked. */
  revocationsOf(role: Role, name: string): number {
    return this.book.countOf(role, name.toLowerCase());
  }

  /** Of the present revocation list; 0 before the first revocation. */
  get revocationNumber(): number {
    return this.book.number;
  }

  /** Of the present revocation list: as `digestOfList`, and its last revocation (0 before the first). */
  get revocationState(): { digest: string; lastMs: number } {
    return { digest: this.book.digest, lastMs: this.book.lastMs };
  }

  /**
   * The present revocation list, signed just now; while the CA is locked, as it was signed when it was made.
   * Throws FuncError "unavailable" where it was made while the CA was locked, and still is.
   */
  revocationList(): SignedRevocationList {
    const { state } = this.book;
    if (!this.lock.isLocked || state.signed === undefined) return this.signed(state);
    return verifyRevocationList(state.signed, this.rotation.trusted);
  }

  /** The present X.509 revocation list, signed just now (PEM); while there are two CAs one of each. */
  crl(): string {
    const { present, next } = this.rotation;
    return [present, ...(next ? [next] : [])]
      .map(({ key, certificate }) => createCrl({ key: key.get(), certificate }, this.book.state))
      .join("");
  }

  /**
   * Takes over what a list revokes that this CA signed and has forgotten since (its folder comes from a backup);
   * the present list's number is above that one's then. Gives whether the list was such a one. Throws FuncError "denied" or "bad-data" where it is not this CA's.
   */
  async adoptRevocations(document: string): Promise<boolean> {
    const list = verifyRevocationList(document, this.rotation.trusted);
    const { forgotten, after } = this.book.compare(list);
    if (forgotten.length === 0 && after === 0) return false;
    const ends = new Map(this.issued.records.map(({ serial, notAfterMs }) => [serial, notAfterMs]));
    const adopted = forgotten.map((revoked) => {
      const notAfterMs = ends.get(revoked.serial) ?? revoked.atMs + MAX_DAYS * DAY_MS;
      return { ...revoked, notAfterMs, reason: "" };
    });
    const before = this.revocationNumber;
    await this.note(adopted, after);
    return this.revocationNumber > before;
  }

  /** Lets the minion's name be given out again, although its certificates still run. */
  async release(name: string): Promise<void> {
    const minion = name.toLowerCase();
    if (this.liveMinion(minion) === undefined) return;
    await this.issued.update((issued) =>
      issued.map((record) =>
        record.role === "minion" && record.name === minion ? { ...record, released: true } : record,
      ),
    );
  }

  /** The holder never got this certificate: its name counts as never given. */
  async withdraw({ serial }: CertificateRecord): Promise<void> {
    await this.issued.update((issued) =>
      issued.map((record) => (record.serial === serial ? { ...record, released: true } : record)),
    );
  }

  private signed({ number, revoked }: Revocations): SignedRevocationList {
    return signRevocationList({ number, issuedAtMs: Date.now(), revoked }, this.rotation.keys());
  }

  private async note(records: RevokedRecord[], after?: number): Promise<void> {
    const before = this.revocationNumber;
    await this.book.add(records, after);
    if (this.revocationNumber !== before) this.onRevokedListener();
  }

  /** Who judges a minion is the overlord, which trusts both; others are judged by minions. */
  private signerOf({ role, by }: IssueParams): Signer {
    const { present, next, phase, isOwnNext } = this.rotation;
    const mayBeNext = role === "minion" ? phase === "renewing" : isOwnNext;
    const isNext = mayBeNext && by !== "present";
    return isNext && next ? next : present;
  }

  private recordOf({
    released: _released,
    issuer: _issuer,
    ...record
  }: IssuedCertificate): CertificateRecord {
    const found = this.book.find(record.keyFingerprint);
    if (!found) return record;
    return { ...record, revoked: { atMs: found.atMs, reason: found.reason } };
  }

  private checkKey(name: string, fingerprint: string): void {
    const revoked = this.revocationOf(fingerprint);
    if (revoked) throw revokedKey(name, revoked);
  }

  private checkProof({ role, name, renewal }: IssueParams): void {
    if (!renewal) return;
    this.checkKey(name, renewal.keyFingerprint);
    if (this.revocationsOf(role, name) > renewal.revocations) throw revokedMeanwhile(name);
  }
}
