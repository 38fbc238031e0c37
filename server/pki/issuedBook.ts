import { IssuedFile, type IssuedCertificate } from "./issuedFile";
import { SerialQueue } from "./serialQueue";

/** Objects of the same file share a queue; a process has few of them. */
const queues = new Map<string, SerialQueue>();

type IssuedChange = (issued: IssuedCertificate[]) => IssuedCertificate[];

/** What a CA has issued: `issued.json`, and in memory. */
export class IssuedBook {
  readonly #file: IssuedFile;
  #records: IssuedCertificate[];
  #batch: { changes: IssuedChange[]; written: Promise<void> } | undefined;

  constructor(path: string, records: IssuedCertificate[]) {
    this.#file = new IssuedFile(path);
    this.#records = records;
  }

  /** In order; expired ones stay for 90 days. */
  get records(): readonly IssuedCertificate[] {
    return this.#records;
  }

  /** Another object may have written the same file. */
  async refresh(): Promise<void> {
    await queueOf(this.#file.path).run(async () => {
      this.#records = (await this.#file.readIfChanged()) ?? this.#records;
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
      const after = changes.reduce((issued, change) => change(issued), before ?? this.#records);
      await this.#file.write(after);
      this.#records = after;
    });
    return { changes, written };
  }
}

function queueOf(path: string): SerialQueue {
  const queue = queues.get(path) ?? new SerialQueue();
  queues.set(path, queue);
  return queue;
}
