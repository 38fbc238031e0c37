import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { FuncError } from "../../common/errors";
import type { TokenRecord } from "../../protocol/certmaster";
import { matchesNameGlob } from "./nameGlob";

const MAX_OPEN = 10_000;
/** Closed tokens are remembered so that their holder learns what became of them. */
const MAX_CLOSED = 1000;
const MAX_WRONG_SECRETS = 10;

type TokenState = "open" | "reserved" | "used" | "expired" | "locked" | "closed";

interface Token extends TokenRecord {
  state: TokenState;
  secretHash: Buffer;
  wrongSecrets: number;
}

/** The token does not exist, or its secret is wrong: who sends many of these guesses. */
export class WrongTokenError extends FuncError {
  constructor() {
    super("denied", "The join token is not valid.", ASK_FOR_ANOTHER);
  }
}

/**
 * The one-time tokens of a certmaster, in memory only: a restart of the overlord ends them all. Of a secret only
 * its SHA-256 is kept. Moments are milliseconds since 1970, given by the caller.
 */
export class TokenBook {
  private readonly tokens = new Map<string, Token>();

  /** A new token and its secret, which nobody can ask for again. Throws FuncError "unavailable" beyond 10,000. */
  add(
    expiresAtMs: number,
    nameGlob: string | undefined,
    nowMs: number,
  ): { id: string; secret: string } {
    this.expire(nowMs);
    if (this.open().length >= MAX_OPEN) {
      throw new FuncError(
        "unavailable",
        `There are already ${MAX_OPEN} open join tokens.`,
        "Wait until some are used or expire.",
      );
    }
    let id = randomBytes(4).toString("hex");
    while (this.tokens.has(id)) id = randomBytes(4).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    this.tokens.set(id, {
      id,
      nameGlob,
      expiresAtMs,
      state: "open",
      secretHash: hash(secret),
      wrongSecrets: 0,
    });
    return { id, secret };
  }

  /**
   * Takes the token out of circulation for one enrolment: then `use` it or `giveBack`. Throws FuncError
   * "denied", as a WrongTokenError to who does not have the secret: that one learns no more.
   */
  reserve(id: string, secret: string, name: string, nowMs: number): void {
    this.expire(nowMs);
    const token = this.tokens.get(id);
    // compares in every case: the time taken does not tell whether there is such a token
    const right = timingSafeEqual(hash(secret), token?.secretHash ?? hash(""));
    if (token === undefined || !right) {
      if (token !== undefined) countWrongSecret(token);
      throw new WrongTokenError();
    }
    if (token.state !== "open") {
      throw new FuncError("denied", CLOSED_MESSAGES[token.state], ASK_FOR_ANOTHER);
    }
    if (token.nameGlob !== undefined && !matchesNameGlob(token.nameGlob, name)) {
      throw new FuncError(
        "denied",
        `The join token is for hosts named ${token.nameGlob}, not for ${name}.`,
        "Join under a fitting name (--name), or ask for another token.",
      );
    }
    token.state = "reserved";
  }

  /** Ends a reserved token. */
  use(id: string): void {
    this.settle(id, "used");
  }

  /** The enrolment failed: the token may be tried again. */
  giveBack(id: string): void {
    this.settle(id, "open");
  }

  /** Takes an open token back. Throws FuncError "not-found", or "conflict" while a host uses it. */
  close(id: string, nowMs: number): void {
    this.expire(nowMs);
    const token = this.tokens.get(id);
    if (token?.state === "reserved") {
      throw new FuncError(
        "conflict",
        `A host uses the join token ${id} at this moment.`,
        "Look at the list again; revoke the host's certificate where it should have none.",
      );
    }
    if (token?.state !== "open") {
      throw new FuncError(
        "not-found",
        `There is no open join token ${id.slice(0, 80).replace(/[^\x20-\x7e]/g, "?")}.`,
        'See the open ones with "func ca list".',
      );
    }
    token.state = "closed";
  }

  /** The tokens that can still be used. */
  list(nowMs: number): TokenRecord[] {
    this.expire(nowMs);
    return this.open().map(({ id, nameGlob, expiresAtMs }) => ({ id, nameGlob, expiresAtMs }));
  }

  /** When the next open token expires; undefined where none is open. */
  nextExpiryMs(nowMs: number): number | undefined {
    const moments = this.list(nowMs).map((token) => token.expiresAtMs);
    return moments.length === 0 ? undefined : moments.reduce((a, b) => Math.min(a, b));
  }

  /** Ends all tokens. */
  clear(): void {
    this.tokens.clear();
  }

  // a reserved token counts as open: its enrolment may still fail
  private open(): Token[] {
    return [...this.tokens.values()].filter(isOpen);
  }

  private settle(id: string, state: "used" | "open"): void {
    const token = this.tokens.get(id);
    if (token?.state === "reserved") token.state = state;
  }

  private expire(nowMs: number): void {
    for (const token of this.tokens.values()) {
      if (token.state === "open" && token.expiresAtMs <= nowMs) token.state = "expired";
    }
    const closed = [...this.tokens.values()].filter((token) => !isOpen(token));
    for (const token of closed.slice(0, -MAX_CLOSED)) this.tokens.delete(token.id);
  }
}

const ASK_FOR_ANOTHER = "Ask the operator of the overlord for a new token.";

const CLOSED_MESSAGES: Readonly<Record<Exclude<TokenState, "open">, string>> = {
  reserved: "The join token is being used by another host at this moment.",
  used: "The join token was used already: each enrols one host.",
  expired: "The join token has expired.",
  locked: "The join token was closed after too many attempts with a wrong secret.",
  closed: "The join token was taken back by an operator of the overlord.",
};

function isOpen(token: Token): boolean {
  return token.state === "open" || token.state === "reserved";
}

function countWrongSecret(token: Token): void {
  token.wrongSecrets += 1;
  if (token.wrongSecrets >= MAX_WRONG_SECRETS && token.state === "open") token.state = "locked";
}

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
