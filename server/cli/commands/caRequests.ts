import { utcTime } from "../../common/utcTime";
import { readLine } from "../../common/readLine";
import { FuncError } from "../../common/errors";
import { isFingerprint } from "../../pki/certificates/fingerprintWords";
import type { CertmasterList, WaitingRequest } from "../../protocol/certmaster";
import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { askCa, atText } from "../askCa";
import type { CaAt } from "../parseAt";
import { noteRequestsBelow, requestsBelow, unaskedText } from "../requestsBelow";
import type { Session } from "../session";
import { waitingLines } from "./caTables";

/** `func ca waiting`: what waits, with the words to be compared; then how many wait at sub-overlords. */
export async function caWaiting(session: Session, at: readonly string[] = []): Promise<number> {
  const connection = await session.connect();
  const isHere = at.length === 0 && !session.options.json;
  const asking = isHere ? requestsBelow(connection) : undefined;
  asking?.catch(() => undefined); // said where it is awaited
  const list = await askCa(connection, at, "certmaster/list", {});
  if (session.options.json) {
    const { caFingerprint, caWords, waiting, modes } = list;
    session.out.result(`${JSON.stringify({ caFingerprint, caWords, waiting, modes })}\n`);
    return EXIT_OK;
  }
  session.out.result(waitingLines(list.waiting));
  if (list.waiting.length === 0) session.out.note(`Nothing waits. ${approvalText(list, at)}\n`);
  else {
    session.out.note(
      `Compare the words with those on the host, then: func ca approve NAME${atText(at)}\n` +
        `The host shows these for the CA: ${list.caWords ?? "-"}\n`,
    );
  }
  if (asking) noteRequestsBelow(session, await asking);
  return EXIT_OK;
}

/**
 * `func ca approve NAME`: with what was compared on the command line, or a person who compares now. Throws
 * FuncError "not-found", "conflict" where several keys wait for the name or another one than was compared,
 * "bad-argument" where nobody can be asked.
 */
export async function caApprove(
  session: Session,
  wanted: CaAt & { name: string; fingerprint?: string; yes: boolean },
): Promise<number> {
  const { at = [] } = wanted;
  const request = await find(session, wanted);
  const { name, words, replaces, unprotected, keyFingerprint, from } = request;
  if (wanted.fingerprint === undefined && !wanted.yes) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new FuncError(
        "bad-argument",
        `Nobody can be asked whether ${name} shows these words: ${words}.`,
        "Say what the host shows, with --fingerprint WORDS.",
      );
    }
    session.out.note(
      `${name}, from ${from}, has the key\n\n    ${words}\n    ${keyFingerprint}\n\n` +
        (unprotected ? "It asked over plain HTTP: look at its key on the host itself.\n" : "") +
        (replaces
          ? `Approving it revokes the certificate that ${name} has with another key.\n`
          : "") +
        "Does the host show the same? [y/N] ",
    );
    if (!/^y(es)?$/i.test((await readLine()).trim())) {
      session.out.note(
        `${name} goes on waiting. To turn it down: func ca deny ${name}${atText(at)}\n`,
      );
      return EXIT_FAILED;
    }
  }
  const params = { name, keyFingerprint };
  result(session, await askCa(await session.connect(), at, "certmaster/approve", params));
  session.out.note(
    `${name} is approved${replaces ? ", its certificate with the other key revoked" : ""}. ` +
      "The host fetches its certificate within half a minute.\n",
  );
  return EXIT_OK;
}

/** `func ca deny NAME`: the host is told, and cannot ask again for an hour. Throws FuncError as `caApprove`. */
export async function caDeny(
  session: Session,
  wanted: CaAt & { name: string; fingerprint?: string },
): Promise<number> {
  const { name, keyFingerprint, words } = await find(session, wanted);
  const params = { name, keyFingerprint };
  result(session, await askCa(await session.connect(), wanted.at ?? [], "certmaster/deny", params));
  session.out.note(`${name} with the key ${words} is denied for an hour.\n`);
  return EXIT_OK;
}

/** `func ca approval on|off`. */
export async function caApproval(
  session: Session,
  { at = [], forMs }: CaAt & { forMs: number },
): Promise<number> {
  const list = await askCa(await session.connect(), at, "certmaster/setApproval", { forMs });
  result(session, list);
  session.out.note(`${approvalText(list, at)}\n`);
  const [address, ...others] = list.modes.approvalAddresses ?? [];
  if (address !== undefined) {
    session.out.note(
      `On a host: node funcd.js join --ask ${address} --ca-fingerprint ${list.caFingerprint ?? "HEX"}\n` +
        (others.length > 0 ? `Or by way of ${others.join(", ")}.\n` : "") +
        `Then here: func ca waiting${atText(at)}\n`,
    );
  }
  return EXIT_OK;
}

/** `func ca close TOKEN-ID`: takes a join token back. */
export async function caClose(
  session: Session,
  { at = [], tokenId }: CaAt & { tokenId: string },
): Promise<number> {
  const params = { id: tokenId };
  result(session, await askCa(await session.connect(), at, "certmaster/closeToken", params));
  session.out.note(`The token ${tokenId} is closed.\n`);
  return EXIT_OK;
}

async function find(
  session: Session,
  { at = [], name, fingerprint }: CaAt & { name: string; fingerprint?: string },
): Promise<WaitingRequest> {
  const connection = await session.connect();
  const { waiting } = await askCa(connection, at, "certmaster/list", {});
  const named = waiting.filter((request) => request.name === name);
  const found = named.filter(
    ({ keyFingerprint }) => fingerprint === undefined || isFingerprint(fingerprint, keyFingerprint),
  );
  const [only] = found;
  if (only && found.length === 1) return only;
  if (named.length === 0) {
    const below = at.length === 0 ? await requestsBelow(connection, name) : undefined;
    const [there] = below?.waiting ?? [];
    const unasked = below && below.unasked.length > 0 ? ` ${unaskedText(below.unasked)}` : "";
    throw new FuncError(
      "not-found",
      `No request for ${name} is waiting${there || unasked ? " here" : ""}.${unasked}`,
      there
        ? `One waits at ${there.where}: func ca waiting --at ${there.where}`
        : `func ca waiting${atText(at)} shows what waits.`,
    );
  }
  throw new FuncError(
    "conflict",
    only
      ? `${name} waits with ${found.length} keys: ${found.map(({ words }) => `"${words}"`).join(", ")}.`
      : `${name} waits with another key: ${named.map(({ words }) => `"${words}"`).join(", ")}.`,
    only
      ? "Say which one the host shows, with --fingerprint WORDS."
      : "Where the host shows other words than these, somebody else asks in its name.",
  );
}

function result(session: Session, list: CertmasterList): void {
  if (session.options.json) session.out.result(`${JSON.stringify(list)}\n`);
}

function approvalText({ modes }: CertmasterList, at: readonly string[]): string {
  return modes.approvalUntilMs === undefined
    ? `Requests without a token are not taken (func ca approval on${atText(at)}).`
    : `Requests without a token are taken until ${utcTime(modes.approvalUntilMs)}.`;
}
