import type { XmlRpcValue } from "../wire/value";
import type { MethodRisk } from "../protocol/methods";
import type { Caller } from "./minionModule";

/** A call that is to be judged. `risk` is undefined where there is no such method. */
export interface JudgedCall {
  method: string;
  risk: MethodRisk | undefined;
  params: readonly XmlRpcValue[];
  nowMs: number;
}

/** Which methods a rule is about. */
export interface MethodGlob {
  glob: string;
  /** From 1. */
  line: number;
}

/** One permission. There are no prohibitions: what no rule allows is denied. */
export interface AclRule {
  /** Of its file, from 1. */
  line: number;
  /** The globs of methods as they are written; none where it is a preset. */
  methods: readonly MethodGlob[];
  /** True where the rule is about this caller, whatever it allows. */
  names(caller: Caller): boolean;
  allows(call: JudgedCall): boolean;
}

/** What is wrong with a file of rules. */
export class AclProblem extends Error {
  override readonly name = "AclProblem";
  constructor(
    /** From 1; 0 for the file as a whole. */
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}
