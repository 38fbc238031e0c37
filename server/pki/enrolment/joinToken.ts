import * as v from "valibot";
import { FuncError } from "../../common/errors";
import { formatHostPort, parseHostPort } from "../../common/hostPort";

const PREFIX = "func-join-";
const MAX_CHARACTERS = 8192;
export const MAX_ADDRESSES = 16;

const Content = v.object({
  v: v.literal(1),
  i: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  s: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  c: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  a: v.pipe(
    v.array(v.pipe(v.string(), v.maxLength(300))),
    v.minLength(1),
    v.maxLength(MAX_ADDRESSES),
  ),
});

/** What a host needs to enrol. */
export interface JoinTokenContent {
  /** 8 hex digits. */
  id: string;
  /** 32 random bytes, base64url: whoever has it can enrol one host. */
  secret: string;
  /** hex SHA-256 of the CA's certificate: the host trusts this CA and no other. */
  caFingerprint: string;
  /** HOST:PORT of the certmaster, in the order they are tried. */
  addresses: string[];
}

/** The text for `funcd join`: one word, safe in a shell. */
export function formatJoinToken({
  id,
  secret,
  caFingerprint,
  addresses,
}: JoinTokenContent): string {
  const content = { v: 1, i: id, s: secret, c: caFingerprint, a: addresses };
  return PREFIX + Buffer.from(JSON.stringify(content)).toString("base64url");
}

/** Reads the text of `formatJoinToken`. Throws FuncError "bad-argument", which never repeats the text. */
export function parseJoinToken(text: string): JoinTokenContent {
  try {
    const trimmed = text.trim();
    if (!trimmed.startsWith(PREFIX) || trimmed.length > MAX_CHARACTERS) throw new Error("form");
    const encoded = trimmed.slice(PREFIX.length);
    if (!/^[A-Za-z0-9_-]+$/.test(encoded)) throw new Error("alphabet");
    const json: unknown = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    const { i, s, c, a } = v.parse(Content, json);
    const addresses = a.map((address) => formatHostPort(parseHostPort(address)));
    return { id: i, secret: s, caFingerprint: c, addresses };
  } catch {
    // no cause: it could hold a part of the secret
    throw new FuncError(
      "bad-argument",
      "This is not a whole join token.",
      `Copy the token as one line; it begins with "${PREFIX}".`,
    );
  }
}
