import { FuncError } from "../../common/errors";

/** Where ssh logs in to. */
export interface SshDestination {
  /** As it was typed: [USER@]HOST, with HOST as the user's SSH configuration knows it. */
  text: string;
  host: string;
}

const USER = /^[A-Za-z0-9_][A-Za-z0-9_.\\@+-]{0,127}$/;
const HOST = /^[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}$/;
const REMOTE_PATH = /^(?:\/[A-Za-z0-9_.+@-]+)+$/;
const SSH_OPTION = /^[A-Za-z][A-Za-z0-9]*[= ].+$/;

/** Reads [USER@]HOST. Throws FuncError "bad-argument" for what ssh could take for anything else. */
export function parseDestination(text: string): SshDestination {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? undefined : text.slice(0, at);
  const host = text.slice(at + 1);
  if (HOST.test(host) && (user === undefined || USER.test(user))) return { text, host };
  throw new FuncError(
    "bad-argument",
    `"${shown(text)}" is not a host to log in to: use [USER@]HOST.`,
    "A port, a key or a jump host belongs into ~/.ssh/config, or goes with --ssh-option, such as --ssh-option Port=2222.",
  );
}

/** An absolute path on a host. Throws FuncError "bad-argument". */
export function parseRemotePath(option: string, text: string): string {
  const isPlain = REMOTE_PATH.test(text) && !text.split("/").some((part) => /^\.\.?$/.test(part));
  if (isPlain && text.length <= 200) return text;
  throw new FuncError(
    "bad-argument",
    `${option} needs an absolute path of letters, digits and "_.+@-", not "${shown(text)}".`,
  );
}

/** What follows ssh's -o. Throws FuncError "bad-argument". */
export function parseSshOption(text: string): string {
  if (SSH_OPTION.test(text) && !/[\n\r\0]/.test(text)) return text;
  throw new FuncError(
    "bad-argument",
    `--ssh-option needs KEY=VALUE as in ssh -o, not "${shown(text)}".`,
  );
}

function shown(text: string): string {
  return text.slice(0, 100).replace(/[^\x20-\x7e]/g, "?");
}
