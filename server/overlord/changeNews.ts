/** Clients are told that something is different at most five times a second. */
const LEAST_INTERVAL_MS = 200;

/** Tells at once that something changed; changes that follow within 200 ms are told together. */
export class ChangeNews {
  private timer: NodeJS.Timeout | undefined;
  private isUntold = false;

  constructor(private readonly tell: () => void) {}

  changed(): void {
    if (this.timer) {
      this.isUntold = true;
      return;
    }
    this.tell();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.isUntold) return;
      this.isUntold = false;
      this.changed();
    }, LEAST_INTERVAL_MS).unref();
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
