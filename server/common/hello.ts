import { createHmac, timingSafeEqual } from "node:crypto";

/** What a client shows: that it could read the endpoint file's secret. Hex. */
export function clientProof(secret: string, nonce: string, sentAtMs: number): string {
  return hmac(secret, `client:${nonce}:${sentAtMs}`);
}

/** What the overlord shows in return; another text, so that neither can send back what it was given. Hex. */
export function overlordProof(secret: string, nonce: string): string {
  return hmac(secret, `overlord:${nonce}`);
}

/** Compares in a time that does not tell how much of it was right. */
export function sameProof(expected: string, given: string): boolean {
  const left = Buffer.from(expected, "utf8");
  const right = Buffer.from(given, "utf8");
  return left.length === right.length && timingSafeEqual(left, right);
}

function hmac(secret: string, text: string): string {
  return createHmac("sha256", Buffer.from(secret, "hex")).update(text).digest("hex");
}
