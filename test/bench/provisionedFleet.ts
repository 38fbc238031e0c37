import { setMaxListeners } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { startFuncd, type FuncdProcess } from "../../server/client/funcdProcess";
import { stopOverlord, type OverlordTarget } from "../../server/client/stopOverlord";
import { writeFileAtomic } from "../../server/common/atomicFile";
import { CertificateAuthority } from "../../server/pki/authority/certificateAuthority";
import { generateKey } from "../../server/pki/certificates/keyFiles";
import type { MinionRecord } from "../../server/protocol/minions";
import { writeInventory } from "../../server/targets/inventoryFile";
import { LoopbackBlock } from "./loopbackBlock";

export interface ProvisionedFleetOptions {
  /** 1 to 16,000 minions, named `<namePrefix>1` to `<namePrefix>N`; default as many as `names`. */
  size?: number;
  /** Their names, instead of numbered ones. */
  names?: readonly string[];
  /** Knows the minions of that fleet instead of its own, by the same CA: each of them then has two overlords. */
  sameAs?: ProvisionedFleet;
  /** Where a minion listens, in the place of an address of its own on the loopback network. */
  addressOf?: (name: string) => string;
  /** A Node for the funcd of this minion, or for the overlord without a name; default this process's. */
  nodeOf?: (name?: string) => string;
  /** What stands in a minion's minion.yaml besides name and address. */
  minionYaml?: (name: string) => object;
  /** Minions of one funcd process; default 50, and 250 of more than 2,000. */
  perProcess?: number;
  /** Default: a temporary one, removed by `close`. Has to be empty. */
  dataDirectory?: string;
  /** Default "minion". */
  namePrefix?: string;
  /** Lines of `<data>/overlord.yaml` besides those that the fleet needs. */
  overlordYaml?: string;
  /** Where `funcd.js` and `overlord.js` are; default `dist` of the working folder. */
  dist?: string;
  /** That of the programs in `dist`; default: this program's. */
  version?: string;
  /** False: everything is on disk and no funcd runs; see `startMinions`. Default true. */
  start?: boolean;
  signal?: AbortSignal;
}

/** Real minions that an overlord knows and never had to enrol. */
export interface ProvisionedFleet {
  readonly dataDirectory: string;
  readonly names: readonly string[];
  /** What the inventory holds: each minion has an address of its own (127.x.y.z), all have one port. */
  readonly minions: readonly MinionRecord[];
  /** For connectOverlord, stopOverlord and overlordOf. */
  readonly target: OverlordTarget;
  /** The folder of one minion. */
  homeOf(name: string): string;
  /** Starts funcd for these (default all) and resolves when they serve, with the processes. */
  startMinions(names?: readonly string[]): Promise<FuncdProcess[]>;
  /** Connects to the overlord, which is started where none runs. */
  connect(): Promise<OverlordConnection>;
  /** Ends minions and overlord; removes a temporary data directory. */
  close(): Promise<void>;
}

declare const __VERSION__: string;

const MAX_SIZE = 16_000;
const MINIONS_PER_PROCESS = 50;
const MANY_PER_PROCESS = 250;
const MANY = 2_000;
/** Certificates signed, and homes written, at the same time. */
const AT_ONCE = 32;
const START_TIMEOUT_MS = 30_000;
const START_TIMEOUT_PER_MINION_MS = 50;

/**
 * Writes a data directory and the homes of `size` minions as an enrolment would have left them, and starts
 * the minions. The overlord is started by the first connection. Everything ends with this process.
 */
export async function startProvisionedFleet(
  options: ProvisionedFleetOptions,
): Promise<ProvisionedFleet> {
  const { sameAs, namePrefix = "minion", start = sameAs === undefined } = options;
  const names =
    sameAs?.names ??
    options.names ??
    Array.from({ length: options.size ?? 0 }, (_, index) => `${namePrefix}${index + 1}`);
  const size = names.length;
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new RangeError(`A provisioned fleet has 1 to ${MAX_SIZE} minions, not ${size}.`);
  }
  const temporary = options.dataDirectory === undefined;
  const dataDirectory = options.dataDirectory
    ? resolve(options.dataDirectory)
    : await mkdtemp(join(tmpdir(), "func-"));
  const dist = options.dist ?? resolve("dist");
  const { nodeOf = () => process.execPath } = options;
  const target: OverlordTarget = {
    dataDirectory,
    kind: "library",
    version: options.version ?? __VERSION__,
    launch: { execPath: nodeOf(), script: join(dist, "overlord.js") },
  };
  const processes: FuncdProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.close()));
    await stopOverlord(target, true);
    if (temporary) await rm(dataDirectory, { recursive: true, force: true, maxRetries: 5 });
  };
  const homeOf = (name: string): string =>
    sameAs ? sameAs.homeOf(name) : join(dataDirectory, "minions", name);
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const yaml = `certmaster:\n  listen: "127.0.0.1:0"\n${options.overlordYaml ?? ""}`;
    await writeFileAtomic(join(dataDirectory, "overlord.yaml"), yaml);
    const minions = sameAs
      ? await provisionAgain(dataDirectory, sameAs)
      : await provision(dataDirectory, names, homeOf, options);
    const startMinions = async (wanted = names): Promise<FuncdProcess[]> => {
      const perProcess =
        options.perProcess ?? (size > MANY ? MANY_PER_PROCESS : MINIONS_PER_PROCESS);
      const started = groups(wanted, perProcess).map((group) =>
        startFuncd({
          execPath: nodeOf(group[0]),
          funcdScript: join(dist, "funcd.js"),
          homes: group.map(homeOf),
          names: group,
        }),
      );
      processes.push(...started);
      const deadline = AbortSignal.timeout(START_TIMEOUT_MS + size * START_TIMEOUT_PER_MINION_MS);
      const signal = AbortSignal.any([deadline, ...(options.signal ? [options.signal] : [])]);
      setMaxListeners(0, signal);
      await Promise.all(started.map((process) => process.serving(signal)));
      return started;
    };
    if (start) await startMinions();
    return {
      dataDirectory,
      names,
      minions,
      target,
      homeOf,
      startMinions,
      connect: () => connectOverlord({ ...target, signal: options.signal }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Certificates, homes and inventory; returns what the inventory holds. */
async function provision(
  dataDirectory: string,
  names: readonly string[],
  homeOf: (name: string) => string,
  { minionYaml = () => ({}), addressOf }: Pick<ProvisionedFleetOptions, "minionYaml" | "addressOf">,
): Promise<MinionRecord[]> {
  const authority = await CertificateAuthority.create(join(dataDirectory, "ca"), "bench");
  const block = await LoopbackBlock.find(names.length);
  const enrolledAtMs = Date.now();
  const keys = await atOnce(names, () => generateKey());
  // all at once: issued.json is then written once or twice and not once per certificate
  const issued = await Promise.all(
    keys.map(({ publicKey }, index) =>
      authority.issue({ role: "minion", name: names[index] ?? "", publicKey }),
    ),
  );
  const minions = await atOnce(issued, async ({ certificatePem, record }, index) => {
    const address = addressOf?.(record.name) ?? block.address(index);
    const home = homeOf(record.name);
    const listen = { host: address, port: block.port };
    await mkdir(join(home, "pki"), { recursive: true, mode: 0o700 });
    const files = {
      // JSON is YAML
      "minion.yaml": `${JSON.stringify({ name: record.name, listen, ...minionYaml(record.name) })}\n`,
      "pki/minion.key": keys[index]?.privateKeyPem ?? "",
      "pki/minion.crt": certificatePem,
      "pki/ca.crt": authority.certificatePem,
    };
    // nobody needs these after a power cut: thousands of fsyncs less
    for (const [file, text] of Object.entries(files)) {
      await writeFile(join(home, file), text, { mode: 0o600 });
    }
    const minion: MinionRecord = {
      name: record.name,
      address,
      port: block.port,
      state: "unknown",
      enrolledAtMs,
      keyFingerprint: record.keyFingerprint,
      certificateSerial: record.serial,
      certificateNotAfterMs: record.notAfterMs,
    };
    return minion;
  });
  await writeInventory(join(dataDirectory, "inventory.json"), minions);
  return minions;
}

async function provisionAgain(
  dataDirectory: string,
  { dataDirectory: first, minions }: ProvisionedFleet,
): Promise<readonly MinionRecord[]> {
  await cp(join(first, "ca"), join(dataDirectory, "ca"), { recursive: true });
  await writeInventory(join(dataDirectory, "inventory.json"), [...minions]);
  return minions;
}

async function atOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const rest = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

function groups(names: readonly string[], perProcess: number): string[][] {
  const result: string[][] = [];
  for (let at = 0; at < names.length; at += perProcess) {
    result.push(names.slice(at, at + perProcess));
  }
  return result;
}
