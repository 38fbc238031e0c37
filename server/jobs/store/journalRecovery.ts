import { messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import { keepDamaged } from "./journalFolder";
import type { JournalRecord } from "./journalFrame";
import { replayJournal, type JournalFlaw } from "./journalReplay";

/** Reads the journal for the databases, and tells what is wrong with it. */
export class JournalRecovery {
  /** True where records are missing that were durable once: what looks as if it had not happened may have. */
  incomplete = false;
  /** The highest number that was read so far; 0 for none. */
  last = 0;

  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /** As `replayJournal`. Damaged files are kept beside, under another name. */
  async *records(after: number, upTo: number | undefined): AsyncGenerator<JournalRecord> {
    const flaws: JournalFlaw[] = [];
    const found = (flaw: JournalFlaw): unknown => flaws.push(flaw);
    for await (const record of replayJournal(this.folder, after, upTo, found)) {
      await this.report(flaws.splice(0));
      this.last = Math.max(this.last, record.seq);
      yield record;
    }
    await this.report(flaws);
  }

  private async report(flaws: readonly JournalFlaw[]): Promise<void> {
    for (const flaw of flaws) {
      if (flaw.kind === "torn") {
        const { file, at, bytes } = flaw;
        const what =
          "the journal of the job store ends in a record that was not written to its end";
        this.log.warn(what, { file: file.path, at, bytes });
      } else if (flaw.kind === "damage") {
        await this.reportDamage(flaw);
      } else {
        const { from, to } = flaw;
        this.incomplete = true;
        this.log.error("records of the job store's journal are missing", { from, to });
      }
    }
  }

  private async reportDamage({ file, at, bytes }: JournalFlaw & { kind: "damage" }): Promise<void> {
    const keptAs = await keepDamaged(this.folder, file).catch((error: unknown) => messageOf(error));
    this.log.error("the journal of the job store is damaged: what can be read around it is used", {
      file: file.path,
      at,
      bytes,
      keptAs,
    });
  }
}
