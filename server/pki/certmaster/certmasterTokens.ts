import { FuncError } from "../../common/errors";
import type { SignedCertificate } from "../../protocol/certmaster";
import { readCsr } from "../certificates/csr";
import type { EnrolRequest } from "../enrolment/enrolProtocol";
import type { CertmasterIssuing } from "./certmasterIssuing";
import { TokenBook, WrongTokenError } from "./tokenBook";
import { TokenGuesses } from "./tokenGuesses";
import type { Triggers } from "./triggers";

/** Hosts that enrol with a one-time join token. */
export class CertmasterTokens {
  readonly book = new TokenBook();
  private readonly guesses = new TokenGuesses();

  constructor(private readonly options: { issuing: CertmasterIssuing; triggers: Triggers }) {}

  /**
   * `from`: where the connection comes from. Throws FuncError: "denied" or "unavailable" for the token,
   * "bad-argument" or "bad-data" for the request, "conflict" for the name. The token stays usable then.
   */
  async enrol(request: EnrolRequest, from: string): Promise<SignedCertificate> {
    const { tokenId, name, csr: pem, port, address = from } = request;
    this.reserve(request, from);
    try {
      const csr = readCsr(pem);
      if (csr.name !== name) {
        throw new FuncError(
          "bad-argument",
          `The certificate request is for ${csr.name}, not for ${name}.`,
        );
      }
      const { triggers, issuing } = this.options;
      await triggers.before("request", name);
      const signed = await issuing
        .issue({ name, csr: pem, port, address }, false)
        .catch((error: unknown) => {
          throw adviseOnName(error, name);
        });
      this.book.use(tokenId);
      void triggers.after("request", name);
      return signed;
    } finally {
      this.book.giveBack(tokenId); // nothing where it was used
    }
  }

  private reserve({ tokenId, secret, name }: EnrolRequest, from: string): void {
    const now = Date.now();
    this.guesses.check(from, now);
    try {
      this.book.reserve(tokenId, secret, name, now);
    } catch (error) {
      if (error instanceof WrongTokenError) this.guesses.count(from, now);
      throw error;
    }
  }
}

/** What who runs `funcd join` can do about a name that is taken. */
function adviseOnName(error: unknown, name: string): unknown {
  if (!(error instanceof FuncError) || error.reason !== "conflict") return error;
  return new FuncError(
    "conflict",
    error.message,
    `If this host replaces it, forget the minion on the overlord first (func ca forget ${name}); otherwise join under another name (--name).`,
    { cause: error },
  );
}
