import { FuncError, messageOf } from "../../common/errors";
import { RpcFault } from "../../wire/rpcFault";
import type { XmlRpcValue } from "../../wire/value";
import { readCsr } from "../certificates/csr";
import type { AskAnswer } from "../enrolment/askProtocol";

/** What the original's certmaster answers to on its plain HTTP port. */
const WAIT_FOR_CERT = "wait_for_cert";
const METHODS_METHODS = new Set(["trait_names", "_getAttributeNames"]);
/** Where the original's minions listen. */
export const ORIGINAL_PORT = 51_234;
const REQUEST = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/;
const NOT_YET: XmlRpcValue = [false, "", ""];

/**
 * Answers one call as the original does: `wait_for_cert(csr[, ca_name[, with_triggers]])`, or with the older
 * `wait_for_cert(csr[, with_triggers])`, gives [true, certificate, CA] or [false, "", ""]. `with_triggers` is taken
 * and has no effect: whoever asks cannot switch the operator's triggers off. Throws RpcFault or FuncError.
 */
export async function answerWaitForCert(
  method: string,
  params: XmlRpcValue[],
  ask: (asked: { name: string; csr: string }) => Promise<AskAnswer>,
): Promise<XmlRpcValue> {
  if (METHODS_METHODS.has(method)) return [WAIT_FOR_CERT];
  if (method !== WAIT_FOR_CERT) {
    throw new RpcFault(1, `certmaster.codes.InvalidMethodException: ${method}`);
  }
  const [csr, second, third] = params;
  if (params.length < 1 || params.length > 3 || typeof csr !== "string") {
    throw new RpcFault(1, "TypeError: wait_for_cert takes csr[, ca_name[, with_triggers]]");
  }
  if (third !== undefined && !isFlag(third)) throw new RpcFault(1, "TypeError: with_triggers");
  if (typeof second === "string" ? second !== "" : second !== undefined && !isFlag(second)) {
    throw new RpcFault(1, "certmaster.codes.CMException: there is one CA here, which has no name");
  }
  if (!REQUEST.test(csr)) return NOT_YET;
  const answer = await ask({ name: nameIn(csr), csr });
  switch (answer.state) {
    case "approved":
      return [true, answer.certificate, answer.ca];
    case "denied":
      throw new FuncError("denied", "An operator of the overlord denied this host's request.");
    default:
      return NOT_YET;
  }
}

function nameIn(csr: string): string {
  try {
    return readCsr(csr).name;
  } catch (error) {
    throw new FuncError("bad-data", messageOf(error));
  }
}

function isFlag(value: XmlRpcValue): boolean {
  return typeof value === "boolean" || value === 0 || value === 1;
}
