import { createHash, randomBytes, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { FuncError, messageOf } from "../../common/errors";
import type { CertificateRecord, SignedCertificate } from "../../protocol/certmaster";
import type { HostPlace } from "./hostPlan";
import { readInstalled, type Enrolled, type InstalledState } from "./installedState";
import { checkReport } from "./remoteFailure";
import {
  CERTIFICATE,
  COPY,
  INSPECT,
  KEEP_NEW,
  PROVE,
  REMOVE,
  REQUEST,
  SCRIPT_CONSTANTS,
  START_DETACHED,
  START_UNIT,
  TAKE_OLD,
} from "./remoteScripts";
import { all, first, runScript, type RemoteHost, type Report, type ScriptRun } from "./remoteShell";
import { systemdUnit } from "./systemdUnit";

/** The program that hosts get. */
export interface FuncdProgram {
  content: Buffer;
  sha256: string;
}

const STEP_TIMEOUT_MS = 60_000;
const COPY_TIMEOUT_MS = 300_000;

/** Throws FuncError "not-found". */
export async function readFuncdProgram(file: string): Promise<FuncdProgram> {
  const content = await readFile(file).catch((error: unknown) => {
    throw new FuncError(
      "not-found",
      `funcd cannot be read: ${messageOf(error)}.`,
      "Build it anew.",
    );
  });
  return { content, sha256: createHash("sha256").update(content).digest("hex") };
}

/** The steps on one host whose place is decided; each throws FuncError that says what to do. */
export class HostSetup {
  constructor(
    private readonly session: RemoteHost,
    private readonly place: HostPlace,
    private readonly node: string,
    private readonly signal: AbortSignal,
  ) {}

  /** What is there already. */
  async inspect(ours: readonly CertificateRecord[]): Promise<InstalledState> {
    const { home, unitFile, service } = this.place;
    const unit = service === "detached" ? "" : unitFile;
    const report = await this.run(INSPECT, { variables: { unit } });
    return readInstalled(report, { host: this.host, home }, ours);
  }

  /**
   * Has the host sign something new with the key of the certificate that it shows. Throws FuncError "wrong-identity"
   * where that fails: anybody can show a certificate.
   */
  async prove({ name, publicKey }: Pick<Enrolled, "name" | "publicKey">): Promise<void> {
    const challenge = `func add-host asks for a proof: ${randomBytes(32).toString("hex")}`;
    const report = await this.run(PROVE, { variables: { challenge } });
    const signature = Buffer.from(first(report, "proof") ?? "", "base64");
    if (verify("sha256", Buffer.from(challenge), publicKey, signature)) return;
    throw new FuncError(
      "wrong-identity",
      `${this.host} shows the certificate of ${name}, but does not prove that it has the key to it: nothing is changed.`,
      `Find out why: it may pass itself off as ${name}. Only if you know that its key was lost, move ${this.place.home}/pki away there, and add the host again with --name ${name} --replace.`,
    );
  }

  /** Brings the program there; the old one is kept beside it. */
  async copy({ content, sha256 }: FuncdProgram): Promise<void> {
    await this.run(COPY, {
      variables: { sum: sha256 },
      input: content,
      timeoutMs: COPY_TIMEOUT_MS,
    });
  }

  /**
   * Has the host make a key, where it has none, and a request. `freePort`: a port that must not be taken;
   * `discardKey`: the key that is there was revoked.
   */
  async request(params: {
    name: string;
    listen: string;
    freePort?: number;
    discardKey: boolean;
  }): Promise<string> {
    const { name, listen, freePort, discardKey } = params;
    const variables = {
      name,
      listen,
      port: freePort === undefined ? "" : String(freePort),
      discard: discardKey ? "yes" : "no",
    };
    const report = await this.run(REQUEST, { variables }, freePort);
    return `${all(report, "csr")}\n`;
  }

  async install({ certificate, ca }: SignedCertificate, listen: string): Promise<void> {
    await this.run(CERTIFICATE, { variables: { listen }, input: certificate + ca });
  }

  /** Starts funcd, also where it runs already. Answers whether it goes on without a login, under systemd. */
  async start(name: string, port: number): Promise<{ lingers: boolean }> {
    const { service, home, serviceName, scope, unitFile } = this.place;
    const variables = { port: String(port), unit: unitFile, service: serviceName, scope };
    const report =
      service === "detached"
        ? await this.run(START_DETACHED, { variables }, port)
        : await this.run(
            START_UNIT,
            { variables, input: systemdUnit({ scope: service, name, node: this.node, home }) },
            port,
          );
    const ready = first(report, "ready");
    if (ready === "ready") return { lingers: !report.has("linger") };
    const words = all(report, "log").trim().slice(-1_500);
    throw new FuncError(
      "unavailable",
      `funcd was started on ${this.host} but does not answer on its port ${port} (${ready ?? "no word"}). It says:\n${words === "" ? "nothing" : words}`,
      service === "detached"
        ? `Look at ${home}/funcd.log there.`
        : `Look there with: systemctl ${scope} status ${serviceName}`,
    );
  }

  /** The new program works: the old one goes. */
  async keepNew(): Promise<void> {
    await this.run(KEEP_NEW, { variables: {} });
  }

  /** Back to the old program; false where there is none. */
  async takeOld(): Promise<boolean> {
    return (await this.run(TAKE_OLD, { variables: {} })).has("restored");
  }

  /** Stops funcd for good and takes away what was put there. Answers what is left in its folder. */
  async remove(keepFiles: boolean): Promise<string[]> {
    const { service, unitFile, serviceName, scope } = this.place;
    const variables = {
      unit: service === "detached" ? "" : unitFile,
      service: serviceName,
      scope,
      keep: keepFiles ? "yes" : "no",
    };
    const report = await this.run(REMOVE, { variables });
    return [...(report.get("left") ?? [])];
  }

  private async run(
    script: string,
    run: Pick<ScriptRun, "variables" | "input"> & { timeoutMs?: number },
    port?: number,
  ): Promise<Report> {
    const { home, sudo } = this.place;
    const report = await runScript(this.session, script, {
      sudo,
      timeoutMs: STEP_TIMEOUT_MS,
      signal: this.signal,
      ...run,
      variables: { home, node: this.node, ...SCRIPT_CONSTANTS, ...run.variables },
    });
    checkReport(report, { host: this.host, home, port });
    return report;
  }

  private get host(): string {
    return this.session.settings.destination.text;
  }
}
