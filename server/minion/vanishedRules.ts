import { join } from "node:path";
import type { AccessFiles } from "./aclFiles";

/**
 * Remembers what narrowed calls: where that vanishes, calls must not be allowed that it denied. An unmounted
 * disk, or a folder renamed by mistake, says nothing about what its owner wants to allow.
 */
export class VanishedRules {
  readonly #home: string;
  #folder = false;
  #presets = false;

  constructor(home: string) {
    this.#home = home;
  }

  /** The files as read, or as wrong where what was there before is gone. */
  judge(files: AccessFiles): AccessFiles {
    this.#folder ||= files.folder;
    if (files.configuration !== "missing") this.#presets = files.configuration === "presets";
    if (files.problem !== undefined) return files;
    const gone: string[] = [];
    if (this.#folder && !files.folder) gone.push(join(this.#home, "acls"));
    if (this.#presets && files.configuration === "missing") {
      gone.push(join(this.#home, "minion.yaml"));
    }
    if (gone.length === 0) return files;
    const they =
      gone.length === 1 ? "was there and is gone: put it" : "were there and are gone: put them";
    const problem = `${gone.join(" and ")} ${they} back, or restart funcd to go on without`;
    return { ...files, rules: [], problem };
  }
}
