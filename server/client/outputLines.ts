import type { OutputOffsets, OutputPiece } from "../protocol/jobs";
import { inertText } from "../common/inertText";

/** A line that a command wrote, harmless to show. */
export interface OutputLine {
  minion: string;
  stream: OutputPiece["stream"];
  text: string;
}

/** Longer lines are cut: nobody reads them in a list, and the result has them whole. */
const MAX_LINE = 4_000;

interface Stream {
  /** Bytes that were taken. */
  offset: number;
  /** The line that has not ended yet. */
  open: string;
  attempt: number;
}

/** Makes lines of the pieces of a job's output; what comes twice, after a reconnect, counts once. */
export class OutputLines {
  private readonly streams = new Map<string, Stream>();

  /** The lines that the piece ends; blank where it only begins one. */
  take(piece: OutputPiece): OutputLine[] {
    const { minion, stream, attempt = 1 } = piece;
    const key = keyOf(minion, stream);
    let state = this.streams.get(key);
    if (!state || state.attempt < attempt) {
      state = { offset: 0, open: "", attempt };
      this.streams.set(key, state);
    }
    const fresh = attempt < state.attempt ? undefined : freshText(piece, state.offset);
    if (fresh === undefined) return [];
    state.offset = piece.offset + piece.bytes;
    const texts = (state.open + fresh).split("\n");
    state.open = (texts.pop() ?? "").slice(0, 4 * MAX_LINE);
    return texts.map((text) => lineOf(minion, stream, text));
  }

  /** The minion writes no more: a last line without its end is one too. */
  end(minion: string): OutputLine[] {
    const lines: OutputLine[] = [];
    for (const stream of ["stdout", "stderr"] as const) {
      const state = this.streams.get(keyOf(minion, stream));
      if (!state || state.open === "") continue;
      lines.push(lineOf(minion, stream, state.open));
      state.open = "";
    }
    return lines;
  }

  /** Where each minion's output is to be read on from. */
  offsets(): Record<string, OutputOffsets> {
    const offsets: Record<string, OutputOffsets> = {};
    for (const [key, { offset, attempt }] of this.streams) {
      const [stream, minion = ""] = key.split(" ");
      let known = offsets[minion];
      if (!known || (known.attempt ?? 1) < attempt) {
        known = { stdout: 0, stderr: 0, ...(attempt > 1 && { attempt }) };
        offsets[minion] = known;
      }
      if ((known.attempt ?? 1) > attempt) continue; // nothing came of this stream since
      known[stream === "stdout" ? "stdout" : "stderr"] = offset;
    }
    return offsets;
  }
}

function keyOf(minion: string, stream: OutputPiece["stream"]): string {
  return `${stream} ${minion}`;
}

/** What of the piece is not known yet; undefined where there is nothing. */
function freshText({ offset, bytes, text }: OutputPiece, known: number): string | undefined {
  if (offset + bytes <= known) return undefined;
  if (offset >= known) return text;
  const whole = Buffer.from(text);
  // text that stands for other bytes cannot be cut by their number
  return whole.length === bytes ? whole.subarray(known - offset).toString() : text;
}

function lineOf(minion: string, stream: OutputPiece["stream"], text: string): OutputLine {
  // of a line that was written over, its last state shows
  const shown = text.replace(/\r$/, "").split("\r").at(-1) ?? "";
  const cut = shown.length > MAX_LINE ? `${shown.slice(0, MAX_LINE)}…` : shown;
  return { minion, stream, text: inertText(cut) };
}
