import type { ErrorReason } from "../../common/errors";
import { FuncError } from "../../common/errors";
import { isHost, isPort } from "../../common/hostPort";
import { parseMinionName } from "../../common/minionName";
import type { RpcFault } from "../../wire/rpcFault";
import type { XmlRpcStruct, XmlRpcValue } from "../../wire/value";

/** Enrols with a join token: takes an EnrolRequest as struct, gives {certificate, ca, name}. */
export const ENROL_METHOD = "certmaster.enroll";

/** What a host sends to enrol. */
export interface EnrolRequest {
  tokenId: string;
  secret: string;
  /** PEM. */
  csr: string;
  name: string;
  /** Where it serves. */
  port: number;
  /** Where the overlord reaches it; default: where the request came from. */
  address?: string;
}

const FAULT_CODES: Readonly<Partial<Record<ErrorReason, number>>> = {
  denied: 10,
  conflict: 11,
  "bad-argument": 12,
  "bad-data": 13,
  unavailable: 14,
};
/** Everything else: the overlord's own trouble, which its log tells. */
export const OTHER_FAULT = 1;

export function encodeEnrolRequest(request: EnrolRequest): XmlRpcStruct {
  const { tokenId, secret, csr, name, port, address } = request;
  return { token_id: tokenId, secret, csr, name, port, ...(address && { address }) };
}

/** Throws FuncError "bad-argument" that names the member. */
export function decodeEnrolRequest(params: XmlRpcValue[]): EnrolRequest {
  const [struct] = params;
  if (params.length !== 1 || !isStruct(struct)) {
    throw new FuncError("bad-argument", `${ENROL_METHOD} takes one struct.`);
  }
  return {
    tokenId: text(struct, "token_id"),
    secret: text(struct, "secret"),
    csr: text(struct, "csr"),
    name: parseMinionName(text(struct, "name")),
    ...whereServed(struct),
  };
}

/** Where the host says that it serves. Throws FuncError "bad-argument". */
export function whereServed(struct: XmlRpcStruct): { port: number; address?: string } {
  const port = struct.port;
  if (typeof port !== "number" || !isPort(port)) {
    throw new FuncError("bad-argument", "The host's port must be a number from 1 to 65535.");
  }
  const address = struct.address === undefined ? undefined : text(struct, "address");
  if (address !== undefined && !isHost(address)) {
    throw new FuncError("bad-argument", "The host's address is no host name and no IP address.");
  }
  return { port, address };
}

/** The code of the fault that stands for an error, or undefined where the peer is not to know more. */
export function faultCodeOf(reason: ErrorReason): number | undefined {
  return FAULT_CODES[reason];
}

/** The error that a certmaster's fault stands for. */
export function errorOfFault(fault: RpcFault, address: string): FuncError {
  const reasons = Object.keys(FAULT_CODES) as ErrorReason[];
  const reason = reasons.find((candidate) => FAULT_CODES[candidate] === fault.code);
  return new FuncError(
    reason ?? "refused",
    `The overlord at ${address} refuses: ${fault.faultString}`,
    undefined,
    { cause: fault },
  );
}

/** The member as text; throws FuncError "bad-argument". */
export function text(struct: XmlRpcStruct, member: string): string {
  const value = struct[member];
  if (typeof value === "string" && value !== "") return value;
  throw new FuncError("bad-argument", `"${member}" must be a text that is not empty.`);
}

export function isStruct(value: XmlRpcValue | undefined): value is XmlRpcStruct {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
