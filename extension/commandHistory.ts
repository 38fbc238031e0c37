import type { Memento } from "vscode";
import { looksSecret } from "./secretText";

const KEY = "func.commandHistory";
const MAX_COMMANDS = 20;

/** The last commands that were run, newest first; they stay on this machine, and none holds a secret. */
export class CommandHistory {
  constructor(private readonly memento: Memento) {}

  list(): readonly string[] {
    return this.memento.get<string[]>(KEY, []);
  }

  async add(command: string): Promise<void> {
    if (looksSecret(command)) return;
    const others = this.list().filter((other) => other !== command);
    await this.memento.update(KEY, [command, ...others].slice(0, MAX_COMMANDS));
  }
}
