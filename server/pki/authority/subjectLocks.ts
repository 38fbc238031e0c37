import type { Role } from "../certificates/identity";

/** Objects of the same folder share their locks; a process has few folders. */
const ofFolders = new Map<string, SubjectLocks>();

/** Runs tasks that concern the same subject one after the other, in the order they came. */
export class SubjectLocks {
  private readonly last = new Map<string, Promise<unknown>>();

  static of(folder: string): SubjectLocks {
    const locks = ofFolders.get(folder) ?? new SubjectLocks();
    ofFolders.set(folder, locks);
    return locks;
  }

  /** Runs `task` once all earlier ones of any of these subjects have ended, well or not; gives its result. */
  async run<T>(subjects: Iterable<string>, task: () => Promise<T>): Promise<T> {
    const wanted = [...new Set(subjects)];
    const result = Promise.all(
      wanted.map((subject) => this.last.get(subject) ?? Promise.resolve()),
    ).then(task);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    for (const subject of wanted) this.last.set(subject, ended);
    try {
      return await result;
    } finally {
      for (const subject of wanted) {
        if (this.last.get(subject) === ended) this.last.delete(subject);
      }
    }
  }
}

export function lockKeyOf({ role, name }: { role: Role; name: string }): string {
  return `${role}:${name.toLowerCase()}`;
}
