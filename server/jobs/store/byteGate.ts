/** Lets work in while less than `most` bytes are under way, in the order in which it came. */
export class ByteGate {
  private used = 0;
  private readonly waiting: { bytes: number; go: () => void }[] = [];

  constructor(private readonly most: number) {}

  /** Waits while there is too much under way, or somebody waits already; `leave` is to follow. */
  async enter(bytes: number): Promise<void> {
    if (this.used < this.most && this.waiting.length === 0) this.used += bytes;
    else await new Promise<void>((go) => this.waiting.push({ bytes, go }));
  }

  /** For what cannot wait any more. */
  force(bytes: number): void {
    this.used += bytes;
  }

  leave(bytes: number): void {
    this.used -= bytes;
    while (this.used < this.most) {
      const next = this.waiting.shift();
      if (!next) return;
      this.used += next.bytes;
      next.go();
    }
  }
}
