import { hash } from "node:crypto";
import type { CallError, MinionCallState } from "../protocol/jobs";

/** 132 bits: nobody finds two results with the same. */
const DIGEST_LENGTH = 22;
const PEER = "\0";
/** `name (address:port)` once the name is gone. */
const PEER_ADDRESS = /\0 \([^()\s]*:\d+\)/g;
const NAME_PART = /[\w-]/;

/** Who a message may name. */
export interface DigestPeer {
  name: string;
  address?: string;
  port?: number;
}

/** The digest of a value, by the SHA-256 (hex) of its JSON. */
export function digestOfHash(sha256: string): string {
  return Buffer.from(sha256, "hex").toString("base64url").slice(0, DIGEST_LENGTH);
}

/** Of a value, by its JSON. */
export function digestOfJson(json: string): string {
  return hash("sha256", json, "base64url").slice(0, DIGEST_LENGTH);
}

/** Of a problem: the same for minions that have the same one, so their own name and address do not count. */
export function digestOfError(
  state: MinionCallState,
  error: CallError | undefined,
  peer: DigestPeer,
): string {
  const message = error ? withoutPeer(error.message, peer) : "";
  return digestOfJson(JSON.stringify([state, error?.type, message, error && "problem"]));
}

function withoutPeer(message: string, { name, address, port }: DigestPeer): string {
  // the address may have been corrected since
  let text = withoutWord(message, name).replace(PEER_ADDRESS, PEER);
  if (address === undefined) return text;
  if (port !== undefined) {
    const host = address.includes(":") ? `[${address}]` : address;
    text = withoutWord(text, `${host}:${port}`);
  }
  return withoutWord(text, address);
}

/** "web1" is no part of "web10", "web1.example.org" or "my-web1", but may end a sentence. */
function withoutWord(text: string, word: string): string {
  let at = text.indexOf(word);
  if (at === -1 || word === "") return text;
  let result = "";
  let copied = 0;
  for (; at !== -1; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    const before = text[at - 1];
    if (before === "." || isPartOfName(before) || isPartOfName(text[end])) continue;
    if (text[end] === "." && isPartOfName(text[end + 1])) continue;
    result += text.slice(copied, at) + PEER;
    copied = end;
  }
  return result + text.slice(copied);
}

function isPartOfName(character: string | undefined): boolean {
  return character !== undefined && NAME_PART.test(character);
}
