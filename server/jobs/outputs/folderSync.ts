import { syncFolder } from "../../common/atomicFile";

/** Makes names in a folder durable: all that ask while one sync runs share the next. */
export class FolderSync {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly folder: string) {}

  /** What has its name by now has it after a power cut too. Rejects with what the file system says. */
  sync(): Promise<void> {
    const { running } = this;
    if (!running) return this.start();
    // one that runs may have begun too early
    this.next ??= running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.start();
      });
    return this.next;
  }

  private start(): Promise<void> {
    this.running = syncFolder(this.folder).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }
}
