import { hash } from "node:crypto";
import { readHead, tailOf } from "./auditFiles";
import { CHAIN_START, readChainLine, type ChainEnd, type ChainFields } from "./chainLine";

const SHOWN_CUT = 1_000;

/** Where a log goes on, and what has to be said first. */
export interface AuditEnd {
  end: ChainEnd;
  /** Bytes of the file that stay. */
  size: number;
  /** Undefined where the log ends as it should. */
  repair?: { fields: ChainFields; seq: number; newlineFirst: boolean };
}

/** Finds the end of the chain in the file, or in the one before it where it is empty. */
export async function auditEnd(file: string): Promise<AuditEnd> {
  const tail = await tailOf(file);
  const cut = tail.text.slice(tail.text.lastIndexOf("\n") + 1);
  const whole = tail.text.slice(0, tail.text.length - cut.length);
  const source = whole === "" ? (await tailOf(`${file}.1`)).text : whole;
  const last = lastLine(source);
  const repair: Record<string, unknown> = {};
  let end = last === undefined ? CHAIN_START : readChainLine(last);
  if (!end) {
    // it stays, for verifyAudit to find; the chain goes on from what was before it
    repair["damaged"] = true;
    end = lastGood(source) ?? CHAIN_START;
  }
  let size = tail.size - cut.length;
  let newlineFirst = false;
  if (cut !== "") {
    const line = readChainLine(cut);
    if (line?.prev === end.hash && line.seq === end.seq + 1) {
      repair["newlineMissing"] = true;
      newlineFirst = true;
      size = tail.size;
      end = line;
    } else {
      repair["cutBytes"] = cut.length;
      repair["cutDigest"] = hash("sha256", Buffer.from(cut, "latin1"), "hex");
      repair["cut"] = cut.slice(0, SHOWN_CUT);
    }
  }
  const { seq: lastSeq, hash: lastHash } = end;
  let seq = lastSeq + 1;
  const head = await readHead(file);
  if (typeof head === "object" && head.seq > lastSeq) {
    repair["missingFrom"] = seq;
    repair["missingTo"] = head.seq;
    seq = head.seq + 1;
  } else if (head === "damaged" || (head === "missing" && lastSeq > 0)) {
    repair["noteOfEnd"] = head;
  }
  const found = { end: { seq: lastSeq, hash: lastHash }, size };
  if (Object.keys(repair).length === 0) return found;
  return { ...found, repair: { fields: { event: "recovered", ...repair }, seq, newlineFirst } };
}

function lastLine(text: string): string | undefined {
  return text.trimEnd() === "" ? undefined : text.trimEnd().split("\n").at(-1);
}

function lastGood(text: string): ChainEnd | undefined {
  const lines = text.trimEnd().split("\n").reverse();
  for (const line of lines) {
    const read = readChainLine(line);
    if (read) return read;
  }
  return undefined;
}
