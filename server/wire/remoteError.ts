import { FuncError, messageOf } from "../common/errors";
import type { ErrorReason } from "../common/errors";
import type { CallError } from "../protocol/jobs";
import { toJson } from "./jsonValue";
import { RpcFault } from "./rpcFault";
import type { XmlRpcValue } from "./value";
import { XmlRpcSpooled } from "./value";

/** First item of the array that carries an exception as a value (FUNC-SPEC 1.5). */
export const REMOTE_ERROR = "REMOTE_ERROR";
/** Type of the error that one of our own minions gives for a job whose end nobody can know any more. */
export const JOB_LOST = "func.minion.codes.JobLostException";

/** Item 0 is REMOTE_ERROR; then the exception's type, its message and its trace. */
export function remoteError(type: string, message: string, trace = ""): XmlRpcValue[] {
  return [REMOTE_ERROR, type, message, trace];
}

/** The exception in `value`, where it is one. Async results have 3 items, a lost job only 2. */
export function asRemoteError(
  value: XmlRpcValue,
): { type: string; message: string; trace: string } | undefined {
  if (!Array.isArray(value) || value[0] !== REMOTE_ERROR) return undefined;
  if (value.length < 2 || value.length > 4) return undefined;
  const [, type = null, message = type, trace = ""] = value;
  return { type: textOf(type), message: textOf(message), trace: textOf(trace) };
}

/** Texts with characters that XML cannot carry arrive as bytes. */
function textOf(value: XmlRpcValue): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (value instanceof XmlRpcSpooled) return `${value.head} (${value.bytes} bytes, shortened)`;
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(toJson(value)) : String(value);
}

const PROTOCOL_ERROR = "xmlrpclib.ProtocolError";

/** The type that the original's client gives to the same failure (FUNC-SPEC 1.5). */
const TYPES: Partial<Record<ErrorReason, string>> = {
  refused: "socket.error",
  unreachable: "socket.error",
  "name-not-found": "socket.gaierror",
  "timed-out": "socket.timeout",
  tls: "OpenSSL.SSL.Error",
  "wrong-identity": "OpenSSL.SSL.Error",
  "broken-answer": PROTOCOL_ERROR,
  "too-large": PROTOCOL_ERROR,
  "bad-data": "xml.parsers.expat.ExpatError",
  "bad-argument": "exceptions.ValueError",
};

/** How the original begins the message, by the system's error code. */
const ERRNO: Readonly<Record<string, string>> = {
  ECONNREFUSED: "[Errno 111] Connection refused",
  EHOSTUNREACH: "[Errno 113] No route to host",
  ENETUNREACH: "[Errno 101] Network is unreachable",
  ETIMEDOUT: "[Errno 110] Connection timed out",
  ENOTFOUND: "[Errno -2] Name or service not known",
  EAI_AGAIN: "[Errno -3] Temporary failure in name resolution",
};

/**
 * What a result says about a call that threw `error`: the type as the original names it, and a message
 * that names `peer` (`name (address:port)`, see `peerText`).
 */
export function callErrorOf(
  error: unknown,
  peer: { name: string; address: string; port: number },
): CallError {
  if (error instanceof RpcFault) {
    const message = `<Fault ${error.code}: ${JSON.stringify(error.faultString)}>`;
    return { type: "xmlrpclib.Fault", message, trace: "" };
  }
  if (!(error instanceof FuncError)) {
    return { type: "exceptions.Exception", message: messageOf(error), trace: "" };
  }
  const notXml = error.cause instanceof FuncError && error.cause.reason === "bad-data";
  const type = notXml
    ? "xml.parsers.expat.ExpatError"
    : (TYPES[error.reason] ?? `func.${error.reason}`);
  return { type, message: messageWithErrno(error, peer), trace: "", nextStep: error.nextStep };
}

function messageWithErrno(
  error: FuncError,
  peer: { name: string; address: string; port: number },
): string {
  const named = error.message.includes(peer.name)
    ? error.message
    : `${peer.name} (${peer.address}:${peer.port}): ${error.message}`;
  const code = codeOf(error.cause);
  const errno = code === undefined ? undefined : ERRNO[code];
  if (errno !== undefined) return `${errno}: ${named}`;
  return error.reason === "timed-out" ? `(110, 'Operation timed out.'): ${named}` : named;
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}
