import { headOfFile, journalFiles, type JournalFileName } from "./journalFolder";
import type { JournalRecord } from "./journalFrame";
import { readJournalFile } from "./journalReader";

/** What was not right while the journal was read. */
export type JournalFlaw =
  /** The last write was cut off: nobody was told that it is kept. */
  | { kind: "torn"; file: JournalFileName; at: number; bytes: number }
  | { kind: "damage"; file: JournalFileName; at: number; bytes: number }
  /** Records that are not there, by their numbers; `to` is unknown at the journal's end. */
  | { kind: "missing"; from: number; to?: number };

/**
 * The records of a journal with numbers above `after` and up to `upTo` (else to the end), in order, each once. Damage is passed
 * over: what stands behind it is as true as what stands before it (each record tells what has happened, and
 * carries its own checksum), and without it more would be forgotten. Throws what the file system says.
 */
export async function* replayJournal(
  folder: string,
  after: number,
  upTo: number | undefined,
  flaw: (flaw: JournalFlaw) => void,
): AsyncGenerator<JournalRecord> {
  const end = upTo ?? Infinity;
  let last = after;
  // databases that had to be made again do not say what of the journal went into them
  let known = after > 0;
  const pass = (seq: number): void => {
    if (seq > last && known) flaw({ kind: "missing", from: last + 1, to: seq });
    last = Math.max(last, seq);
    known = true;
  };
  const files = await withLimits(folder);
  for (const [index, { file, most }] of files.entries()) {
    for await (const piece of readJournalFile(file.path)) {
      // what comes now is just being written
      if (last >= end) return;
      if (piece.kind === "head") {
        pass(Math.min(piece.head.follows, end));
        // numbers between the two were given to nothing
        last = Math.max(last, Math.min(piece.head.first - 1, end));
      } else if (piece.kind === "record") {
        const { record } = piece;
        if (record.seq > end) return;
        if (record.seq <= last || record.seq > most) continue;
        pass(record.seq - 1);
        last = record.seq;
        yield record;
      } else {
        flaw({ ...piece, file });
        const isEnd = piece.kind === "damage" && piece.atEnd && index === files.length - 1;
        if (isEnd) flaw({ kind: "missing", from: last + 1 });
      }
    }
  }
}

/** `most` is the highest number of a file's records that counts. */
async function withLimits(folder: string): Promise<{ file: JournalFileName; most: number }[]> {
  const files = await journalFiles(folder);
  let most = Infinity;
  const limited: { file: JournalFileName; most: number }[] = [];
  for (const file of files.reverse()) {
    limited.unshift({ file, most });
    const head = await headOfFile(file.path);
    if (head) most = Math.min(most, head.follows);
  }
  return limited;
}
