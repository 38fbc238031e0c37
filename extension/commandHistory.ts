import type { Memento } from "vscode";

const KEY = "func.commandHistory";
const MAX_COMMANDS = 20;

/** The last commands that were run, newest first; they stay on this machine. */
export class CommandHistory {
  constructor(private readonly memento: Memento) {}

  list(): readonly string[] {
    return this.memento.get<string[]>(KEY, []);
  }

  async add(command: string): Promise<void> {
    const others = this.list().filter((other) => other !== command);
    await this.memento.update(KEY, [command, ...others].slice(0, MAX_COMMANDS));
  }
}
