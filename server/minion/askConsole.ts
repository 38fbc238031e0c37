import { FuncError } from "../common/errors";
import { ONLY_WHILE_OPEN, type AskState } from "../pki/enrolment/ask";
import { fingerprintWords } from "../pki/certificates/fingerprintWords";
import { formatHostPort, type HostPort } from "../common/hostPort";
import { readLine } from "../common/readLine";
import type { AskOptions } from "./enrolment";

const STATES: Readonly<Record<Exclude<AskState, object>, string>> = {
  waiting: "The request waits for an operator.\n",
  closed:
    "The overlord takes no requests at this time; waiting until it does (func ca approval on).\n",
  approved: "Approved.\n",
  denied: "Denied.\n",
};

function problemText({ problem, reached }: Exclude<AskState, string>): string {
  if (reached) return `Trying again: ${problem}\n`;
  return `Nothing was asked yet, trying again: ${problem}\n${ONLY_WHILE_OPEN}\n`;
}

/** `funcd join --ask` for the person before it: what to compare, one question, and how it goes on. */
export function askConsole(
  options: { at: HostPort; caFingerprint?: string; timeoutMs: number },
  tell: (text: string) => void,
  signal: AbortSignal,
): AskOptions {
  const address = formatHostPort(options.at);
  let last = "";
  return {
    ...options,
    onKey: (name, keyFingerprint) => {
      tell(
        `${name} asks the overlord at ${address} for a certificate.\n` +
          `The key of this host:  ${fingerprintWords(keyFingerprint)}\n` +
          `The operator is shown these words with the request (func ca waiting, or VS Code) and is to\n` +
          `approve it only where they are the same.\n`,
      );
    },
    confirmAuthority: async (caFingerprint) => {
      tell(
        `The CA that answers:   ${fingerprintWords(caFingerprint)}\n` +
          `Nothing proves yet that this is the overlord's. Compare with what the overlord itself shows\n` +
          `(func ca list, in the line "CA words"): other words mean that somebody sits in between.\n` +
          `Does the overlord show the same words for its CA? [y/N] `,
      );
      const answer = (await readLine(signal)).trim().toLowerCase();
      if (answer === "y" || answer === "yes") return;
      throw new FuncError(
        "wrong-identity",
        `The CA at ${address} was not confirmed; nothing was sent to it.`,
        'Where nobody can be asked, give its fingerprint: --ca-fingerprint HEX (from "func ca list").',
      );
    },
    onState: (state) => {
      const text = typeof state === "string" ? STATES[state] : problemText(state);
      if (text !== last) tell(text);
      last = text;
    },
  };
}
