import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { stopOverlord } from "../../client/stopOverlord";
import { FuncError, messageOf } from "../../common/errors";
import { makeFolders } from "../../common/makeFolders";
import { EXIT_OK } from "../exitStatus";
import { OVERLORD_UNIT, OVERLORD_UNIT_MARKER, overlordUnit } from "../overlordUnit";
import type { Session } from "../session";

const run = promisify(execFile);
const SYSTEMCTL_TIMEOUT_MS = 60_000;

/** What the overlord's program needs beside it. */
const BESIDE = ["store.js", "sql-wasm.wasm"];

/** Where the unit goes: root's belongs to the system, anybody else's to the user. */
interface Place {
  scope: "system" | "user";
  unit: string;
  /** Words in front of every systemctl command. */
  options: string[];
}

/**
 * `func overlord install-service`: a systemd unit keeps the overlord of this data directory running, also after a
 * reboot. It runs a copy of this version's program, so that an update of the extension does not take it away;
 * called again, it updates that copy. `print`: only shows the unit.
 */
export async function installService(session: Session, print: boolean): Promise<number> {
  const place = placeOf();
  const { dataDirectory, launch } = session.target;
  if (/[\r\n]/.test(dataDirectory)) {
    throw new FuncError("bad-argument", "The path of the data directory has a line break in it.");
  }
  const script = join(dataDirectory, "service", "overlord.js");
  const { execPath: node } = launch;
  const text = overlordUnit({ scope: place.scope, node, script, dataDirectory });
  if (print) {
    session.out.result(text);
    return EXIT_OK;
  }
  await requireSystemd(place, `"${node}" "${launch.script}" --home "${dataDirectory}" --stay`);
  await checkIsOurs(place.unit);
  // makes the folder, and says what is wrong with it
  await session.connect();
  session.close();
  await makeFolders(dirname(script));
  for (const name of BESIDE) {
    await copyFile(join(dirname(launch.script), name), join(dirname(script), name));
  }
  await copyFile(launch.script, script);
  await makeFolders(dirname(place.unit));
  await writeFile(place.unit, text, { mode: 0o644 });
  await systemctl(place, "daemon-reload");
  await stopOverlord(session.target, false);
  await systemctl(place, "enable", OVERLORD_UNIT);
  await systemctl(place, "restart", OVERLORD_UNIT);
  session.out.note(
    `The overlord of ${dataDirectory} runs as ${OVERLORD_UNIT} (${place.unit}).\n` +
      (place.scope === "user" ? await lingerHint() : ""),
  );
  return EXIT_OK;
}

/** `func overlord remove-service`: stops it and takes the unit away; the data directory stays. */
export async function removeService(
  session: Session,
  dataDirectory = session.target.dataDirectory,
): Promise<number> {
  const place = placeOf();
  if (!existsSync(place.unit)) {
    session.out.note(`There is no ${place.unit}.\n`);
    return EXIT_OK;
  }
  await checkIsOurs(place.unit);
  await systemctl(place, "disable", "--now", OVERLORD_UNIT);
  await rm(place.unit);
  await systemctl(place, "daemon-reload");
  await rm(join(dataDirectory, "service"), { recursive: true, force: true });
  session.out.note("The service is removed. Clients start the overlord again when they need it.\n");
  return EXIT_OK;
}

/** The unit that keeps an overlord of this user running, with its data directory; undefined where there is none. */
export async function installedService(): Promise<
  { unit: string; dataDirectory?: string } | undefined
> {
  if (process.platform !== "linux") return undefined;
  const { unit } = placeOf();
  const text = await readFile(unit, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const description = /^Description=Func overlord of (.*)$/m.exec(text)?.[1];
  return {
    unit,
    ...(description !== undefined && { dataDirectory: description.replaceAll("%%", "%") }),
  };
}

function placeOf(): Place {
  if (process.platform !== "linux") {
    throw new FuncError("unavailable", "Only systemd on Linux is known here.", OWN_MANAGER);
  }
  if (process.getuid?.() === 0) {
    return { scope: "system", unit: join("/etc/systemd/system", OVERLORD_UNIT), options: [] };
  }
  const configuration = process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config");
  const unit = join(configuration, "systemd", "user", OVERLORD_UNIT);
  return { scope: "user", unit, options: ["--user"] };
}

const OWN_MANAGER = 'Let your own service manager run the command that "--print" shows.';

async function requireSystemd(place: Place, command: string): Promise<void> {
  try {
    await run("systemctl", [...place.options, "show-environment"], {
      timeout: SYSTEMCTL_TIMEOUT_MS,
    });
  } catch (error) {
    throw new FuncError(
      "unavailable",
      `systemd does not run here${place.scope === "user" ? " for this user" : ""}: ${firstLine(messageOf(error))}`,
      `Let whatever starts services here run: ${command}`,
      { cause: error },
    );
  }
}

async function checkIsOurs(unit: string): Promise<void> {
  const present = await readFile(unit, "utf8").catch(() => OVERLORD_UNIT_MARKER);
  if (present.startsWith(OVERLORD_UNIT_MARKER)) return;
  throw new FuncError(
    "conflict",
    `${unit} was not made by func; it is left as it is.`,
    "Move it away first.",
  );
}

async function systemctl(place: Place, ...words: string[]): Promise<void> {
  try {
    await run("systemctl", [...place.options, ...words], { timeout: SYSTEMCTL_TIMEOUT_MS });
  } catch (error) {
    throw new FuncError(
      "unavailable",
      `systemctl ${words.join(" ")} failed: ${firstLine(messageOf(error))}`,
      `Look at: journalctl ${place.options.join(" ")} -u ${OVERLORD_UNIT}`,
      { cause: error },
    );
  }
}

/** A user's services end with the last login, unless the user may linger. */
async function lingerHint(): Promise<string> {
  const { username } = userInfo();
  try {
    const { stdout } = await run("loginctl", ["show-user", username, "--property=Linger"]);
    if (stdout.includes("Linger=yes")) return "";
  } catch {
    // then the hint does no harm
  }
  return `To keep it running while you are logged out: loginctl enable-linger ${username}\n`;
}

function firstLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "").slice(0, 300);
}
