import { FuncError } from "../../server/common/errors";
import { RpcFault } from "../../server/wire/rpcFault";
import type { Random } from "./random";

/** One part of the product and what must hold of it, whatever it is given. */
export interface FuzzTarget {
  name: string;
  /** An input: mostly nearly right, sometimes quite right. */
  make: (random: Random) => Buffer;
  /** Throws where something does not hold. With the same input and numbers it does the same. */
  check: (input: Buffer, random: Random) => void | Promise<void>;
}

/** What a reader made of an input: a value, or the reason of its refusal. */
export type Verdict<T> = { value: T } | { refused: string };

/** Runs `read`; FuncError and RpcFault are verdicts, any other error is a finding and passed on. */
export function verdictOf<T>(read: () => T): Verdict<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof FuncError) return { refused: error.reason };
    if (error instanceof RpcFault) return { refused: "fault" };
    throw error;
  }
}

/** A finding where `holds` is false. */
export function insist(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
