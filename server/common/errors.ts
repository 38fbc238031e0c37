const REASONS = [
  "bad-argument",
  "bad-data",
  "not-found",
  "no-match",
  "conflict",
  "denied",
  "cancelled",
  "timed-out",
  "refused",
  "name-not-found",
  "unreachable",
  "tls",
  "wrong-identity",
  "broken-answer",
  "too-large",
  "unavailable",
  "internal",
] as const;

/** Why an operation failed, for programs; the message is for people. Never match on message text. */
export type ErrorReason = (typeof REASONS)[number];

export function isErrorReason(text: string): text is ErrorReason {
  return REASONS.some((reason) => reason === text);
}

/**
 * The one error class of the project: one sentence for the user (which names the host, file or
 * argument), a reason for programs, and where it helps, what to do next.
 */
export class FuncError extends Error {
  override readonly name = "FuncError";
  constructor(
    readonly reason: ErrorReason,
    message: string,
    /** What the user can do next, a whole sentence. */
    readonly nextStep?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The text of anything thrown: its message, never a stack trace. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
