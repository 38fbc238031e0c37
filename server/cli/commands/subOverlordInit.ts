import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FuncError, messageOf } from "../../common/errors";
import { defaultFuncdHome } from "../../common/funcdHome";
import { makeFolders } from "../../common/makeFolders";
import { certificateFingerprint } from "../../pki/certificates/certificate";
import { EXIT_OK } from "../exitStatus";
import { LocalFuncd } from "../localFuncd";
import type { Session } from "../session";
import { installedService, installService } from "./overlordService";

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Where funcd looks for it. */
const WITHOUT_SERVICE =
  "funcd starts that overlord when it is asked for something: overlord.js, store.js and sql-wasm.wasm have to lie beside its funcd.js.\n";

interface InitOptions {
  funcdHome?: string;
  /** Whether systemd is to keep the overlord running. */
  service: boolean;
  /** For `funcd join`, where this host is not enrolled yet. */
  joinWords?: string[];
}

/**
 * `func suboverlord init`: this host gets an overlord of its own, which overlords above reach through its funcd. What is
 * done already stays as it is. Throws FuncError "not-found", "denied" or "conflict" before anything is changed.
 */
export async function subOverlordInit(session: Session, options: InitOptions): Promise<number> {
  const funcd = new LocalFuncd(options.funcdHome ?? defaultFuncdHome(process.env));
  const { dataDirectory } = session.target;
  // a host that joins in the same go may have nothing yet
  if (options.joinWords) await makeHome(funcd.home);
  await funcd.requireOwn();
  await refuseOther(funcd, dataDirectory);
  if (options.service) await refuseOtherService(dataDirectory);
  const name = await enrolledName(session, funcd, options.joinWords);
  const fingerprint = await ownCa(session);
  if ((await authoritiesOf(funcd)).includes(fingerprint)) {
    throw new FuncError(
      "conflict",
      `The overlord of ${dataDirectory} is the one above this host: it cannot be its own sub-overlord.`,
      "Name another data directory with --home DIR.",
    );
  }
  session.out.note(`${dataDirectory} has a CA and an inventory of its own (CA ${fingerprint}).\n`);
  if (options.service) await installService(session, false);
  else session.out.note(WITHOUT_SERVICE);
  const before = await funcd.subOverlord();
  if (before === dataDirectory) {
    session.out.note(`${funcd.configurationFile} names it already.\n`);
  } else {
    await funcd.setSubOverlord(dataDirectory);
    const { pid } = await funcd.status();
    const next =
      pid === undefined
        ? `Start funcd now: funcd --home ${funcd.home}`
        : `The funcd that runs (process ${pid}) reads it by itself.`;
    session.out.note(`${funcd.configurationFile} names it now. ${next}\n`);
  }
  const home = session.options.home === undefined ? "" : ` --home ${dataDirectory}`;
  session.out.note(
    `${name} is a sub-overlord. Enrol hosts with it: func ca token${home} here, or func ca token --at ${name} at the ` +
      "overlord above. Then, above: func build-map\n",
  );
  return EXIT_OK;
}

async function makeHome(home: string): Promise<void> {
  try {
    await makeFolders(home);
  } catch (error) {
    throw new FuncError("denied", `The folder ${home} cannot be made: ${messageOf(error)}`);
  }
}

async function refuseOther(funcd: LocalFuncd, dataDirectory: string): Promise<void> {
  const named = await funcd.subOverlord();
  if (named === undefined || named === dataDirectory) return;
  throw new FuncError(
    "conflict",
    `${funcd.configurationFile} names another overlord: ${named}.`,
    `Take that away first (func suboverlord remove --home ${named}), or use it: --home ${named}`,
  );
}

async function refuseOtherService(dataDirectory: string): Promise<void> {
  const service = await installedService();
  if (!service || service.dataDirectory === dataDirectory) return;
  throw new FuncError(
    "conflict",
    `${service.unit} runs the overlord of ${service.dataDirectory ?? "another data directory"}.`,
    "Remove that service first (func overlord remove-service), or give --no-service.",
  );
}

async function enrolledName(
  session: Session,
  funcd: LocalFuncd,
  joinWords: readonly string[] | undefined,
): Promise<string> {
  const before = await funcd.status();
  if (before.keyFingerprint === undefined) {
    if (!joinWords) {
      throw new FuncError(
        "conflict",
        `The funcd in ${funcd.home} is not enrolled with an overlord above.`,
        "Give --token TOKEN (from func ca token at the overlord above), or --ask HOST.",
      );
    }
    await funcd.join(joinWords);
  } else if (joinWords) {
    session.out.note(`${before.name ?? "This host"} is enrolled already.\n`);
  }
  const { name } = await funcd.status();
  if (name !== undefined) return name;
  throw new FuncError("bad-data", `The funcd in ${funcd.home} has no name.`);
}

/** The fingerprint of the overlord's own CA, which is made where there is none. */
async function ownCa(session: Session): Promise<string> {
  const connection = await session.connect();
  let list = await connection.request("certmaster/list", {});
  if (list.caState === "none") {
    const { id } = await connection.request("certmaster/createToken", { addresses: ["127.0.0.1"] });
    list = await connection.request("certmaster/closeToken", { id });
  }
  return list.caFingerprint ?? "";
}

/** Fingerprints of the CAs that this host's minion trusts. */
async function authoritiesOf({ home }: LocalFuncd): Promise<string[]> {
  const text = await readFile(join(home, "pki", "ca.crt"), "utf8").catch(() => "");
  return (text.match(PEM) ?? []).map((pem) => certificateFingerprint(new X509Certificate(pem)));
}
