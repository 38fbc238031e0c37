import { execFile, spawn } from "node:child_process";
import { access, constants, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isMap, parseDocument, type Document } from "yaml";
import { writeFileAtomic } from "../common/atomicFile";
import { FuncError, messageOf } from "../common/errors";

const run = promisify(execFile);
const STATUS_TIMEOUT_MS = 30_000;

/** What funcd tells of a home, whether it runs or not. */
export interface LocalFuncdStatus {
  name?: string;
  /** Absent while it is not enrolled. */
  keyFingerprint?: string;
  certificateNotAfterMs?: number;
  /** The process that serves it. */
  pid?: number;
}

/** The minion of this host, of the user who runs func: its funcd.js lies beside func.js. */
export class LocalFuncd {
  constructor(
    readonly home: string,
    private readonly script = join(__dirname, "funcd.js"),
  ) {}

  get configurationFile(): string {
    return join(this.home, "minion.yaml");
  }

  /**
   * Throws FuncError "not-found" where this host has no such home, "denied" where it is another user's: funcd and the
   * overlord beside it have to be one user's.
   */
  async requireOwn(): Promise<void> {
    const found = await stat(this.home).catch(() => undefined);
    if (!found?.isDirectory()) {
      throw new FuncError(
        "not-found",
        `There is no funcd on this host: ${this.home} is not there.`,
        "Run this on the host that is to be the sub-overlord, after funcd join; or name its folder with --funcd-home.",
      );
    }
    const uid = process.getuid?.();
    const mine = uid === undefined || found.uid === uid;
    const open = await access(this.home, constants.R_OK | constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (mine && open) return;
    throw new FuncError(
      "denied",
      `${this.home} belongs to another user, whose funcd could not reach an overlord of yours.`,
      found.uid === 0
        ? "Run this as root (sudo)."
        : `Run this as the user with the id ${found.uid}.`,
    );
  }

  /** Throws FuncError "unavailable" where funcd cannot be run, with its own words where its files are damaged. */
  async status(): Promise<LocalFuncdStatus> {
    try {
      const words = [this.script, "status", "--json", "--home", this.home];
      const { stdout } = await run(process.execPath, words, { timeout: STATUS_TIMEOUT_MS });
      return JSON.parse(stdout) as LocalFuncdStatus;
    } catch (error) {
      const said = (error as { stderr?: string }).stderr?.trim();
      throw new FuncError(
        "unavailable",
        `funcd does not tell its status: ${said === undefined || said === "" ? messageOf(error) : said}`,
      );
    }
  }

  /** Enrols it with an overlord above; funcd itself asks and answers in this terminal. Throws FuncError "unavailable". */
  async join(words: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [this.script, "join", ...words, "--home", this.home], {
      stdio: ["inherit", "inherit", "inherit"],
    });
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", resolve);
    });
    if (status === 0) return;
    throw new FuncError(
      "unavailable",
      `funcd in ${this.home} was not enrolled.`,
      "What funcd said above tells why; run this again then.",
    );
  }

  /** The data directory of the overlord that its minion.yaml names. Throws FuncError "bad-data". */
  async subOverlord(): Promise<string | undefined> {
    const document = await this.configuration();
    const home = document.getIn(["sub_overlord", "home"]);
    return typeof home === "string" ? home : undefined;
  }

  /** Enters an overlord into its minion.yaml, or takes it out; comments stay. Throws FuncError "bad-data". */
  async setSubOverlord(dataDirectory: string | undefined): Promise<void> {
    const document = await this.configuration();
    if (!isMap(document.contents)) document.contents = document.createNode({});
    if (dataDirectory === undefined) document.delete("sub_overlord");
    else document.set("sub_overlord", document.createNode({ home: dataDirectory }));
    await writeFileAtomic(this.configurationFile, document.toString());
  }

  private async configuration(): Promise<Document> {
    const text = await readFile(this.configurationFile, "utf8").catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw new FuncError(
        "bad-data",
        `${this.configurationFile} cannot be read: ${messageOf(error)}`,
      );
    });
    const document = parseDocument(text);
    const [problem] = document.errors;
    if (!problem) return document;
    throw new FuncError(
      "bad-data",
      `${this.configurationFile}: ${problem.message.split("\n")[0] ?? ""}`,
      "Correct the file.",
    );
  }
}
