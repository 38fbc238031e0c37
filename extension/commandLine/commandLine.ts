import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { commands, l10n, type ExtensionContext } from "vscode";
import { writeFileAtomic } from "../../server/common/atomicFile";
import { FuncError, messageOf } from "../../server/common/errors";
import { overlordHome } from "../settings";
import { posixShim, windowsShim } from "./shim";

const WINDOWS = process.platform === "win32";

/** The command `func` of the integrated terminals: a small script in a folder of the extension's own. */
export class CommandLine {
  /** The folder that is put on the PATH. */
  readonly folder: string;
  /** The script itself. */
  readonly file: string;

  /** `script`: path of dist/func.js. */
  constructor(
    private readonly context: ExtensionContext,
    private readonly script: string,
  ) {
    this.folder = join(context.globalStorageUri.fsPath, "bin");
    this.file = join(this.folder, WINDOWS ? "func.cmd" : "func");
  }

  /** Whether it is installed, here or from another window. */
  async installed(): Promise<boolean> {
    return (await this.written()) !== undefined;
  }

  /** Writes the script and puts it on the PATH of terminals opened from now on. Throws FuncError. */
  async install(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await chmod(this.folder, 0o700);
      await writeFileAtomic(this.file, this.text(), 0o700);
    } catch (error) {
      throw new FuncError(
        "unavailable",
        l10n.t("The command func cannot be written to {0}: {1}", this.file, messageOf(error)),
      );
    }
    await this.announce();
  }

  /** Takes the script and the PATH back. */
  async remove(): Promise<void> {
    const terminals = this.context.environmentVariableCollection;
    terminals.clear();
    await rm(this.file, { force: true });
    await setInstalled(false);
  }

  /** After an update of VS Code or of the extension: writes the script anew where it stands and differs. */
  async refresh(): Promise<void> {
    const written = await this.written();
    if (written === undefined) return;
    if (written === this.text()) await this.announce();
    else await this.install();
  }

  private text(): string {
    const target = { execPath: process.execPath, script: this.script, home: overlordHome() };
    return WINDOWS ? windowsShim(target) : posixShim(target);
  }

  private async written(): Promise<string | undefined> {
    try {
      return await readFile(this.file, "utf8");
    } catch {
      return undefined;
    }
  }

  private async announce(): Promise<void> {
    const terminals = this.context.environmentVariableCollection;
    terminals.description = l10n.t(
      "Adds the command func, which talks to the overlord of this window.",
    );
    // also after the shell's own files, which may put PATH together anew
    const when = { applyAtProcessCreation: true, applyAtShellIntegration: true };
    terminals.prepend("PATH", `${this.folder}${delimiter}`, when);
    terminals.replace("FUNC_HOME", overlordHome(), when);
    await setInstalled(true);
  }
}

async function setInstalled(installed: boolean): Promise<void> {
  await commands.executeCommand("setContext", "func.commandLine", installed);
}
