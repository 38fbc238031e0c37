/** A finished output: its file is named by the hash. */
export interface SpooledOutput {
  /** Hex SHA-256 of the bytes. */
  sha256: string;
  bytes: number;
}

/** Takes one large output while it comes in. Exactly one of `finish` and `discard` ends it. */
export interface OutputWriter {
  /** Takes the next piece; false where the disk is behind and `drained` should be awaited first. */
  write(piece: Buffer): boolean;
  /** Resolves when more can be taken. Rejects with FuncError "unavailable" where the disk is full or failed. */
  drained(): Promise<void>;
  /** Resolves once the file has its final name. Rejects with FuncError "unavailable" where the disk is full or failed. */
  finish(): Promise<SpooledOutput>;
  /** Removes what was written. Never rejects. */
  discard(): Promise<void>;
}

/** Where outputs of more than 64 KiB go, so that no answer has to fit into memory. */
export interface OutputSpool {
  create(): OutputWriter;
  /**
   * Takes back what `finish` has resolved with, where the answer that it came in failed after all, so that
   * nobody will refer to it. Equal outputs share one file: this ends one use of it, each `finish` is one.
   */
  unclaim(output: SpooledOutput): void;
}
