import { FuncError, messageOf } from "../../common/errors";
import type { Log } from "../../common/log";
import { RefusalMeter } from "../../wire/refusalMeter";
import { RpcFault } from "../../wire/rpcFault";
import type { RpcRequest } from "../../wire/rpcServer";
import type { XmlRpcValue } from "../../wire/value";
import { readCsr } from "../certificates/csr";
import { keyFingerprint } from "../certificates/identity";
import {
  ASK_METHOD,
  decodeAskRequest,
  encodeAskAnswer,
  type AskAnswer,
} from "../enrolment/askProtocol";
import {
  decodeEnrolRequest,
  ENROL_METHOD,
  faultCodeOf,
  OTHER_FAULT,
} from "../enrolment/enrolProtocol";
import type { CertmasterApproval } from "./certmasterApproval";
import type { CertmasterTokens } from "./certmasterTokens";
import { plainAddress } from "./sourceAddress";
import { answerWaitForCert, ORIGINAL_PORT } from "./waitForCert";
import type { HostRequest } from "./waitingRequests";

/** How long the last host may take to read its answer before the listener closes under it. */
const ANSWER_GRACE_MS = 2000;

/** Somebody who asked for a certificate and got none. */
export interface Refusal {
  /** An address; "several" where only their number is told. */
  from: string;
  /** The name that was asked for, where it could be read. */
  name?: string;
  reason: string;
}

export interface CertmasterRequestsOptions {
  tokens: CertmasterTokens;
  approval: CertmasterApproval;
  log: Log;
  /** A token was used, or its secret guessed wrong. */
  onChanged: () => void;
  /** A request was answered, or the last answer has gone out: the listener may have to close. */
  onDone: () => void;
  onRefused: (refusal: Refusal) => void;
}

/** Answers the requests of hosts, over TLS and over plain HTTP. */
export class CertmasterRequests {
  private readonly refusals: RefusalMeter<[Refusal]>;
  private answersUnderWay = 0;

  constructor(private readonly options: CertmasterRequestsOptions) {
    const { log, onRefused } = options;
    this.refusals = new RefusalMeter(
      (refusal) => {
        log.warn("certmaster: enrolment refused", { ...refusal });
        onRefused(refusal);
      },
      (count) => {
        const reason = `${count} more requests for certificates within a minute`;
        log.warn("certmaster: more enrolments were refused", { count });
        onRefused({ from: "several", reason });
      },
    );
  }

  /** Certificates that are on their way to hosts. */
  get answering(): number {
    return this.answersUnderWay;
  }

  /** Answers over TLS. Throws RpcFault. */
  async handle({ method, params, connection, signal }: RpcRequest): Promise<XmlRpcValue> {
    const from = plainAddress(connection.remoteAddress);
    const asked: { name?: string } = {};
    try {
      switch (method) {
        case ENROL_METHOD: {
          const request = decodeEnrolRequest(params);
          asked.name = request.name;
          const { certificate, ca } = await this.options.tokens.enrol(request, from);
          this.stayOpenFor(signal);
          const { name, tokenId } = request;
          this.options.log.info("certmaster: enrolled", { name, from, token: tokenId });
          return { certificate, ca, name };
        }
        case ASK_METHOD: {
          const { name, csr, port, address = from } = decodeAskRequest(params);
          asked.name = name;
          const request = { name, csr, port, address, from };
          const answer = await this.ask(request);
          if (answer.state === "approved") this.stayOpenFor(signal);
          return encodeAskAnswer(answer);
        }
        default:
          throw new FuncError(
            "bad-argument",
            `The certmaster has no method but ${ENROL_METHOD} and ${ASK_METHOD}.`,
          );
      }
    } catch (error) {
      this.refused({ from, ...asked, reason: messageOf(error) });
      throw faultOf(error);
    } finally {
      if (method === ENROL_METHOD) this.options.onChanged();
      this.options.onDone();
    }
  }

  /** Answers over the original's plain HTTP. Throws RpcFault. */
  async handleOriginal(from: string, method: string, params: XmlRpcValue[]): Promise<XmlRpcValue> {
    const asked: { name?: string } = {};
    try {
      return await answerWaitForCert(method, params, async ({ name, csr }) => {
        asked.name = name;
        const where = { address: from, port: ORIGINAL_PORT, from };
        return await this.ask({ name, csr, ...where, unprotected: true });
      });
    } catch (error) {
      this.refused({ from, ...asked, reason: messageOf(error) });
      throw faultOf(error);
    }
  }

  /** Somebody got nothing. */
  refused(refusal: Refusal): void {
    this.refusals.add(refusal.reason, refusal);
  }

  private async ask(asked: Omit<HostRequest, "keyFingerprint">): Promise<AskAnswer> {
    const csr = readCsr(asked.csr);
    if (csr.name !== asked.name) {
      throw new FuncError(
        "bad-argument",
        `The certificate request is for ${csr.name}, not for ${asked.name}.`,
      );
    }
    const request = { ...asked, keyFingerprint: keyFingerprint(csr.publicKey) };
    const answer = await this.options.approval.ask(request);
    if (answer.state === "denied") {
      const { from, name } = asked;
      this.refused({ from, name, reason: "An operator denied the request of this key." });
    }
    return answer;
  }

  /** The answer that is about to be sent must arrive, even where it is the last. */
  private stayOpenFor(connectionClosed: AbortSignal): void {
    this.answersUnderWay += 1;
    const end = () => {
      clearTimeout(timer);
      connectionClosed.removeEventListener("abort", end);
      this.answersUnderWay -= 1;
      this.options.onDone();
    };
    const timer = setTimeout(end, ANSWER_GRACE_MS).unref();
    connectionClosed.addEventListener("abort", end);
  }
}

/** What a stranger may know of it. */
function faultOf(error: unknown): RpcFault {
  if (error instanceof RpcFault) return error;
  const code = error instanceof FuncError ? faultCodeOf(error.reason) : undefined;
  if (!(error instanceof FuncError) || code === undefined) {
    return new RpcFault(OTHER_FAULT, "The overlord could not enrol this host; its log tells why.");
  }
  return new RpcFault(code, [error.message, error.nextStep].filter(Boolean).join(" "));
}
