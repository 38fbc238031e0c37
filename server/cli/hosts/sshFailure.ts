import { FuncError } from "../../common/errors";
import { quote } from "./shellQuote";
import type { SshSettings } from "./sshSession";

interface Cause {
  words: RegExp;
  /** `byHand`: what somebody types to log in there in the same way. */
  explain: (host: string, words: string, byHand: string) => FuncError;
}

const MAX_WORDS = 2_000;
/** What no shell takes for more than text. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** What ssh says about a connection that did not come about, first match first. */
const CAUSES: readonly Cause[] = [
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed/,
    explain: (host, words, byHand) =>
      new FuncError(
        "wrong-identity",
        `The host key of ${host} is not the one that is known. ssh says:\n${words}`,
        `Somebody may be answering in its place, and nothing was sent there. Only if you know that the host was installed anew, forget its old key (with ssh-keygen, as ssh says) and log in once by hand: ${byHand}`,
      ),
  },
  {
    words: /Host key verification failed|No .* host key is known/,
    explain: (host, words, byHand) =>
      new FuncError(
        "wrong-identity",
        `The host key of ${host} is not known, and nobody agreed to it. ssh says:\n${words}`,
        `Log in once by hand (${byHand}), compare the key's fingerprint with the host's, and try again.`,
      ),
  },
  {
    words: /Could not resolve hostname|Name or service not known|nodename nor servname/,
    explain: (host, words) =>
      new FuncError(
        "name-not-found",
        `There is no host ${host}. ssh says: ${words}`,
        "Check the spelling; the name has to be in DNS, in /etc/hosts or in ~/.ssh/config.",
      ),
  },
  {
    words: /Permission denied|Too many authentication failures|No more authentication methods/,
    explain: (host, words) =>
      new FuncError(
        "denied",
        `${host} did not let you log in. ssh says: ${words}`,
        "Check user, key and password: ssh must work with the same words. Give the user as USER@HOST, a key with --identity FILE, or start your agent (ssh-add).",
      ),
  },
  {
    words: /Connection refused/,
    explain: (host, words) =>
      new FuncError(
        "refused",
        `Nothing answers ssh on ${host}. ssh says: ${words}`,
        "Start sshd there, or name its port: --ssh-option Port=2222.",
      ),
  },
  {
    words: /timed out|No route to host|Network is unreachable|Host is down/,
    explain: (host, words) =>
      new FuncError(
        "unreachable",
        `${host} cannot be reached by ssh. ssh says: ${words}`,
        "Check that the host is up, its address, the network, and firewalls between here and there.",
      ),
  },
  {
    words:
      /Identity file .* not accessible|Load key .*: |Bad configuration option|bad permissions/i,
    explain: (host, words) =>
      new FuncError(
        "bad-argument",
        `ssh cannot log in to ${host} this way. ssh says: ${words}`,
        "Correct the option, or the file that it names.",
      ),
  },
];

/** The error for an ssh that ended with status 255, in its own words and with a remedy. */
export function sshFailure(settings: SshSettings, stderr: string): FuncError {
  const { text } = settings.destination;
  const byHand = sshByHand(settings);
  const words = stderr.trim().slice(-MAX_WORDS);
  const cause = CAUSES.find((one) => one.words.test(words));
  if (cause) return cause.explain(text, words, byHand);
  return new FuncError(
    "unreachable",
    `The connection to ${text} failed. ssh says: ${words === "" ? "nothing" : words}`,
    `Try the same by hand: ${byHand}`,
  );
}

/** The words for a person's shell, with the options that were given. */
function sshByHand({ destination, options, identity }: SshSettings): string {
  const words = [
    ...options.flatMap((option) => ["-o", option]),
    ...(identity === undefined ? [] : ["-i", identity]),
    destination.text,
  ];
  return ["ssh", ...words.map((word) => (PLAIN_WORD.test(word) ? word : quote(word)))].join(" ");
}
