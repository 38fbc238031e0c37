import { queueOf } from "../../common/serialQueue";
import { IssuedFile, type IssuedCertificate } from "./issuedFile";

type IssuedChange = (issued: IssuedCertificate[]) => IssuedCertificate[];

/** What a CA has issued: `issued.json`, and in memory. */
export class IssuedBook {
  readonly #file: IssuedFile;
  #records: readonly IssuedCertificate[] = [];
  /** By serial number: the CA, of what is not the present one's. */
  #issuers = new Map<string, string>();
  #batch: { changes: IssuedChange[]; written: Promise<void> } | undefined;

  constructor(path: string, records: IssuedCertificate[]) {
    this.#file = new IssuedFile(path);
    this.#use(records);
  }

  /** In order; expired ones stay for 90 days. */
  get records(): readonly IssuedCertificate[] {
    return this.#records;
  }

  /** Which CA was noted as the issuer of this serial number; undefined where none was. */
  issuerOf(serial: string): string | undefined {
    return this.#issuers.get(serial);
  }

  /** Another object may have written the same file. */
  async refresh(): Promise<void> {
    await queueOf(this.#file.path).run(async () => {
      const changed = await this.#file.readIfChanged();
      if (changed) this.#use(changed);
    });
  }

  /** Durable when it returns. Changes that come while the file is being written share the next write. */
  async update(change: IssuedChange): Promise<void> {
    this.#batch ??= this.#startBatch();
    this.#batch.changes.push(change);
    await this.#batch.written;
  }

  #startBatch(): { changes: IssuedChange[]; written: Promise<void> } {
    const changes: IssuedChange[] = [];
    const written = queueOf(this.#file.path).run(async () => {
      this.#batch = undefined;
      // another object may have written the same file
      const before = await this.#file.readIfChanged();
      const after = changes.reduce(
        (issued, change) => change(issued),
        before ?? [...this.#records],
      );
      await this.#file.write(after);
      this.#use(after);
    });
    return { changes, written };
  }

  #use(records: readonly IssuedCertificate[]): void {
    this.#records = records;
    this.#issuers = new Map();
    for (const { serial, issuer } of records) {
      if (issuer !== undefined) this.#issuers.set(serial, issuer);
    }
  }
}
