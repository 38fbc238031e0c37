import { FuncError } from "../../common/errors";
import { all, first, type Report } from "./remoteShell";

/** Where a script ran, for messages. */
export interface Place {
  host: string;
  home: string;
  port?: number;
}

const FULL = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/;
const READ_ONLY = /Read-only file system|EROFS/;
const FORBIDDEN = /Permission denied|EACCES|Operation not permitted|EPERM/;
const MAX_WORDS = 1_000;

/** Throws FuncError where the script ended with `fail`, or before its end; does nothing otherwise. */
export function checkReport(report: Report, place: Place): void {
  const code = first(report, "failed");
  if (code === undefined && report.has("done")) return;
  const words = all(report, "words").trim().slice(0, MAX_WORDS);
  throw explain(code, words === "" ? "it says nothing" : words, place);
}

function explain(code: string | undefined, words: string, place: Place): FuncError {
  const { host, home, port } = place;
  if (FULL.test(words)) {
    return new FuncError(
      "unavailable",
      `The disk of ${host} is full: ${words}`,
      `Make room on the file system of ${home} there (df -h ${home}), or choose another place with --remote-home DIR.`,
    );
  }
  if (READ_ONLY.test(words) || (code === "write" && FORBIDDEN.test(words))) {
    return new FuncError(
      "denied",
      `${home} on ${host} cannot be written to: ${words}`,
      "Log in as a user who may, or choose another place with --remote-home DIR.",
    );
  }
  switch (code) {
    case "port":
      return new FuncError(
        "conflict",
        words.includes("EADDRINUSE")
          ? `Port ${port ?? ""} of ${host} is taken by another program.`
          : `funcd cannot listen on port ${port ?? ""} of ${host}: ${words}`,
        `See which one it is with: ss -ltnp "sport = :${port ?? ""}". To use another port for funcd: --port N.`,
      );
    case "unit":
      return new FuncError(
        "conflict",
        `${words} on ${host} was not written by func add-host.`,
        "Remove or rename that service first, or add the host with --no-service.",
      );
    case "systemctl":
      return new FuncError(
        "unavailable",
        `systemd on ${host} does not start funcd: ${words}`,
        "Look there with: systemctl status funcd. Or add the host with --no-service.",
      );
    case "home":
      return new FuncError(
        "conflict",
        `funcd cannot live there on ${host}: ${words}.`,
        "Give it a folder of its own with --remote-home DIR.",
      );
    case "checksum":
      return new FuncError(
        "unavailable",
        `funcd did not arrive whole on ${host} (checksum ${words}).`,
        "Try again; if it happens again, look at the disk and its free space there.",
      );
    case "program":
      return new FuncError(
        "unavailable",
        `funcd does not run on ${host}: ${words}`,
        "Name another Node there with --node PATH.",
      );
    case undefined:
      return new FuncError(
        "unavailable",
        `The commands on ${host} ended in the middle: ${words}`,
        "Try again.",
      );
    default:
      return new FuncError(
        "unavailable",
        `${host}: ${words}`,
        "Correct that there, and try again.",
      );
  }
}
