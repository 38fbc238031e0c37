import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { connectOverlord, type OverlordConnection } from "../../server/client/connection";
import { overlordProof } from "../../server/common/hello";
import { PROTOCOL_MAJOR, type ClientHello } from "../../server/protocol/overlord";

const SECRET = "5e".repeat(32);

let folder: string;
let server: Server;
/** Of each connection, what comes right behind the answer to `initialize`. */
let then: (socket: Socket, place: number) => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "func-connection-"));
  const path = join(folder, "socket");
  let count = 0;
  server = createServer((socket) => {
    const place = count++;
    socket.on("error", () => undefined);
    socket.once("data", (data) => {
      answer(socket, String(data));
      then(socket, place);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const endpoint = { path, secret: SECRET, pid: process.pid, version: "0" };
  await writeFile(join(folder, "endpoint"), JSON.stringify(endpoint), { mode: 0o600 });
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function answer(socket: Socket, message: string): void {
  const { id, params } = JSON.parse(message.slice(message.indexOf("{"))) as {
    id: number;
    params: { initializationOptions: ClientHello };
  };
  const overlord = {
    protocolMajor: PROTOCOL_MAJOR,
    protocolMinor: 0,
    version: "0",
    pid: process.pid,
    host: "",
    dataDirectory: folder,
    proof: overlordProof(SECRET, params.initializationOptions.nonce),
  };
  const text = JSON.stringify({ jsonrpc: "2.0", id, result: { capabilities: {}, overlord } });
  socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function connect(): Promise<OverlordConnection> {
  const launch = { execPath: "false", script: "" };
  return connectOverlord({ dataDirectory: folder, kind: "cli", version: "0", launch });
}

it("connects once more where the overlord ended right behind its first answer", async () => {
  then = (socket, place) => {
    if (place < 2) socket.end();
  };
  const connection = await connect();
  expect(connection.hello.pid).toBe(process.pid);
  connection.dispose();
});
