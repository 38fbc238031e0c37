import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createServer as createTlsServer } from "node:tls";
import { encodeResponse } from "../../server/wire/encode";
import { BenchAuthority, type BenchCredentials } from "./benchCredentials";
import type { BenchContext } from "./benchmark";
import type { ProvisionedFleet } from "./provisionedFleet";

/** Where a minion is to be looked for. */
export interface At {
  address: string;
  port: number;
}

/** Listens, and has itself stopped before it takes the first connection. */
const FROZEN_LISTENER = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, server.address().port + "\\n");
  process.kill(process.pid, "SIGSTOP");
});`;
/** More than the backlog takes before the system drops every further attempt. */
const FILLING = 4;
const TRICKLE_MS = 1_000;

/** An address from which nothing comes back, not even a refusal. */
export async function blackHole(context: BenchContext): Promise<At> {
  const child = spawn(process.execPath, ["-e", FROZEN_LISTENER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.onEnd(() => {
    child.kill("SIGKILL");
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const at = { address: "127.0.0.1", port: Number(line.toString()) };
  for (let count = 0; count < FILLING; count++) {
    const socket = connect(at.port, at.address).on("error", () => undefined);
    context.onEnd(() => {
      socket.destroy();
    });
  }
  return at;
}

/** An address where nobody listens. */
export async function closedPort(): Promise<At> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = addressOf(server);
  server.close();
  return at;
}

/** A funcd of its own process, to be frozen. */
export async function lonelyFuncd(
  context: BenchContext,
  fleet: ProvisionedFleet,
  name: string,
): Promise<ChildProcess> {
  const script = join(context.dist, "funcd.js");
  const child = spawn(
    process.execPath,
    [script, "--home", fleet.homeOf(name), "--exit-with-stdin"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  context.onEnd(() => {
    child.kill("SIGKILL");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes(" serves on ")) return child;
  }
  throw new Error(`funcd of ${name} did not start`);
}

/** Has a certificate of the minion's name, but from another CA. */
export async function stranger(context: BenchContext, name: string): Promise<At> {
  const folder = join(context.folder, "other-ca");
  await mkdir(folder);
  const authority = await BenchAuthority.create(folder);
  return answering(context, await authority.issue("minion", name, "EC"), (socket, answer) => {
    socket.end(answer);
  });
}

/** The minion itself, but its answers come a byte a second. */
export async function trickler(
  context: BenchContext,
  fleet: ProvisionedFleet,
  name: string,
): Promise<At> {
  const read = (file: string): Promise<string> =>
    readFile(join(fleet.homeOf(name), "pki", file), "utf8");
  const credentials = {
    key: await read("minion.key"),
    certificate: await read("minion.crt"),
    ca: await read("ca.crt"),
  };
  return answering(context, credentials, (socket, answer) => {
    let at = 0;
    const timer = setInterval(() => {
      socket.write(answer.subarray(at, ++at));
    }, TRICKLE_MS);
    socket.once("close", () => {
      clearInterval(timer);
    });
  });
}

async function answering(
  context: BenchContext,
  { key, certificate, ca }: BenchCredentials,
  answer: (socket: Socket, document: Buffer) => void,
): Promise<At> {
  const body = encodeResponse(1);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n`;
  const options = { key, cert: certificate, ca, ALPNProtocols: ["func/1"] };
  const server = createTlsServer(options, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      answer(socket, Buffer.concat([Buffer.from(head), body]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onEnd(() => {
    server.close();
  });
  return addressOf(server);
}

function addressOf(server: Server): At {
  const { address, port } = server.address() as AddressInfo;
  return { address, port };
}
