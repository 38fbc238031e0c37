import { FuncError } from "../../common/errors";
import { parseMinionName } from "../../common/minionName";
import type { XmlRpcStruct, XmlRpcValue } from "../../wire/value";
import { isStruct, text, whereServed } from "./enrolProtocol";

/** Asks without a token: takes an AskRequest as struct, gives an AskAnswer as struct. */
export const ASK_METHOD = "certmaster.ask";

export interface AskRequest {
  /** PEM. */
  csr: string;
  name: string;
  /** Where the host serves. */
  port: number;
  /** Where the overlord reaches it; default: where the request came from. */
  address?: string;
}

/**
 * "waiting": ask again later. "closed": no requests are taken at this time, ask again later. "denied": an
 * operator said no, and does not want to be asked again for `retryMs`.
 */
export type AskAnswer =
  | { state: "waiting" | "closed" }
  | { state: "denied"; retryMs: number }
  | { state: "approved"; certificate: string; ca: string };

export function encodeAskRequest({ csr, name, port, address }: AskRequest): XmlRpcStruct {
  return { csr, name, port, ...(address !== undefined && { address }) };
}

/** Throws FuncError "bad-argument" that names the member. */
export function decodeAskRequest(params: XmlRpcValue[]): AskRequest {
  const [struct] = params;
  if (params.length !== 1 || !isStruct(struct)) {
    throw new FuncError("bad-argument", `${ASK_METHOD} takes one struct.`);
  }
  return {
    csr: text(struct, "csr"),
    name: parseMinionName(text(struct, "name")),
    ...whereServed(struct),
  };
}

export function encodeAskAnswer(answer: AskAnswer): XmlRpcStruct {
  if (answer.state !== "denied") return { ...answer };
  return { state: answer.state, retry_s: Math.ceil(answer.retryMs / 1000) };
}

/** Throws FuncError "bad-argument" where it is none. */
export function decodeAskAnswer(answer: XmlRpcValue): AskAnswer {
  if (isStruct(answer)) {
    const { state, retry_s: retryS } = answer;
    if (state === "waiting" || state === "closed") return { state };
    if (state === "denied" && typeof retryS === "number") return { state, retryMs: retryS * 1000 };
    if (state === "approved") {
      return { state, certificate: text(answer, "certificate"), ca: text(answer, "ca") };
    }
  }
  throw new FuncError("bad-argument", "it is no answer to a request for a certificate");
}
