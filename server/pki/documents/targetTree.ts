import { createHash } from "node:crypto";
import type { TargetProof } from "../../protocol/delegation";

/** One host that a signed call is for. */
export interface TreeTarget {
  name: string;
  /** hex SHA-256 of its key; undefined where the originator does not know it. */
  identity?: string;
  callId: string;
}

/** The most targets of one call. */
export const MAX_TARGETS = 100_000;

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);
const HASH_BYTES = 32;

/**
 * The targets of a call as a Merkle tree (SHA-256), so that one signature covers all of them and each host needs only
 * its own proof. Built as in RFC 9162: a leaf is the hash of a zero byte and the JSON array [name, identity or "",
 * call id], a node of a one byte and its two children; where the count is no power of two, the left child has the
 * greatest power below.
 */
export class TargetTree {
  /** From the leaves up; an odd last hash of a level goes up as it is. */
  readonly #levels: Buffer[][];
  readonly #count: number;

  /** Throws RangeError where there are none, or more than 100,000. */
  constructor(targets: readonly TreeTarget[]) {
    if (targets.length === 0 || targets.length > MAX_TARGETS) {
      throw new RangeError(`a call is for 1 to ${MAX_TARGETS} hosts, not ${targets.length}`);
    }
    this.#count = targets.length;
    let level = targets.map(leafHash);
    this.#levels = [level];
    while (level.length > 1) {
      level = levelAbove(level);
      this.#levels.push(level);
    }
  }

  /** base64 */
  get root(): string {
    return this.#levels.at(-1)?.[0]?.toString("base64") ?? "";
  }

  get count(): number {
    return this.#count;
  }

  /** Throws RangeError where there is no such target. */
  proofOf(index: number): TargetProof {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      throw new RangeError(`there is no target ${index} of ${this.#count}`);
    }
    const hashes: string[] = [];
    let at = index;
    for (const level of this.#levels) {
      const sibling = level[at ^ 1];
      if (sibling) hashes.push(sibling.toString("base64"));
      at >>= 1;
    }
    return { index, count: this.#count, hashes };
  }
}

/** True where `proof` shows that `target` is one of the `count` targets under `root` (base64). */
export function isTargetOf(
  { root, count }: { root: string; count: number },
  target: TreeTarget,
  proof: TargetProof,
): boolean {
  const { index } = proof;
  if (proof.count !== count || !Number.isSafeInteger(index) || index < 0 || index >= count) {
    return false;
  }
  const hashes = proof.hashes.map((hash) => Buffer.from(hash, "base64"));
  if (hashes.some(({ length }) => length !== HASH_BYTES)) return false;
  let hash = leafHash(target);
  let used = 0;
  for (let at = index, width = count; width > 1; at >>= 1, width = (width + 1) >> 1) {
    if ((at ^ 1) >= width) continue; // the odd last one
    const sibling = hashes[used++];
    if (!sibling) return false;
    hash = at % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  return used === hashes.length && hash.toString("base64") === root;
}

function levelAbove(level: readonly Buffer[]): Buffer[] {
  const above: Buffer[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]];
    if (left) above.push(right ? nodeHash(left, right) : left);
  }
  return above;
}

function leafHash({ name, identity, callId }: TreeTarget): Buffer {
  const text = JSON.stringify([name, identity ?? "", callId]);
  return createHash("sha256").update(LEAF).update(text).digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}
