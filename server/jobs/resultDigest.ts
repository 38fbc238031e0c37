import { createHash } from "node:crypto";
import type { CallError, MinionCallState } from "../protocol/jobs";

/** 128 bits: nobody finds two results with the same. */
const DIGEST_BYTES = 16;

/** Who a message may name. */
export interface DigestPeer {
  name: string;
  address?: string;
  port?: number;
}

/** The digest of a value, by the SHA-256 (hex) of its JSON. */
export function digestOfHash(sha256: string): string {
  return Buffer.from(sha256, "hex").subarray(0, DIGEST_BYTES).toString("base64url");
}

/** Of a value, by its JSON. */
export function digestOfJson(json: string): string {
  return createHash("sha256").update(json).digest().subarray(0, DIGEST_BYTES).toString("base64url");
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
  const word = wordOf(name);
  let text = message.replace(new RegExp(`${word} \\([^()\\s]*:\\d+\\)`, "gi"), "\0");
  if (address !== undefined) {
    const host = address.includes(":") ? `\\[${escape(address)}\\]` : wordOf(address);
    if (port !== undefined) text = text.replace(new RegExp(`${host}:${port}(?!\\d)`, "gi"), "\0");
    text = text.replace(new RegExp(wordOf(address), "gi"), "\0");
  }
  return text.replace(new RegExp(word, "gi"), "\0");
}

/** "web1" is no part of "web10", "web1.example.org" or "my-web1", but may end a sentence. */
function wordOf(text: string): string {
  return `(?<![\\w.-])${escape(text)}(?![\\w-]|\\.\\w)`;
}

function escape(text: string): string {
  return text.replace(/[^\w]/g, "\\$&");
}
