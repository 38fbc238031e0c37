import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { WireClient } from "../../server/wire/wireClient";
import { encodeCall } from "../../server/wire/encode";
import { figureTable, type Figure } from "../fixtures/hostile/attack";
import {
  attackBelowTls,
  attackWithCertificates,
  openIdle,
  openIdleTls,
} from "../fixtures/hostile/connectionAttacks";
import { FuncdVictim } from "../fixtures/hostile/funcdVictim";
import { MemoryProbe } from "../fixtures/hostile/memoryProbe";
import { WireHarness } from "../fixtures/wireHarness";

let victim: FuncdVictim;
const figures: Figure[] = [];
const harness = new WireHarness();

beforeAll(async () => {
  victim = await FuncdVictim.start();
});

afterEach(() => harness.close());

afterAll(async () => {
  await victim.close();
  process.stdout.write(`${figureTable(figures)}\n`);
});

/** A call on a connection of its own, as an overlord makes that has just begun. */
async function freshCall(): Promise<unknown> {
  const { key, cert, ca } = victim.credentials;
  const client = new WireClient({ key, certificate: cert, ca, verifyPeer: verifyMinionPeer });
  try {
    return await client.call(victim.peer, "test.ping", [], { timeoutMs: 20_000 });
  } finally {
    client.close();
  }
}

describe("connections to funcd", () => {
  it("end where TLS does not begin, or not with a certificate that may call", async () => {
    const found = [...(await attackBelowTls(victim)), ...(await attackWithCertificates(victim))];
    figures.push(...found);
    expect(found.filter(({ outcome }) => outcome === "silent")).toEqual([]);
    expect(await freshCall()).toBe(1);
  });

  it("in thousands that never begin the handshake keep nobody out", async () => {
    const probe = new MemoryProbe(victim.pid);
    const idle = await openIdle(victim, 3_000);
    const began = performance.now();
    expect(await freshCall()).toBe(1);
    const ms = performance.now() - began;
    await expect.poll(() => idle.open).toBeLessThanOrEqual(257);
    figures.push({
      item: "3,000 connections before the handshake",
      direction: "connection",
      ms,
      megabytes: probe.growth(),
      outcome: `${idle.open} kept; a fresh call is served in this time`,
    });
    idle.end();
  });

  it("that flood push out themselves, not those of another address", async () => {
    const other = await openIdle(victim, 10, "127.0.0.9");
    const flood = await openIdle(victim, 1_000);
    await expect.poll(() => flood.open).toBeLessThanOrEqual(246);
    expect(other.open).toBe(10);
    flood.end();
    other.end();
  });

  it("in thousands that never ask keep nobody out", async () => {
    const probe = new MemoryProbe(victim.pid);
    const idle = await openIdleTls(victim, 1_050);
    const began = performance.now();
    expect(await freshCall()).toBe(1);
    const ms = performance.now() - began;
    await expect.poll(() => idle.open).toBeLessThanOrEqual(1_000);
    figures.push({
      item: "1,050 connections after the handshake",
      direction: "connection",
      ms,
      megabytes: probe.growth(),
      outcome: `${idle.open} kept; a fresh call is served in this time`,
    });
    idle.end();
  });
});

describe("a client that is slow on purpose", () => {
  const deadlines = {
    headersMs: 300,
    smallBodyMs: 300,
    bodyMs: 60_000,
    paceMs: 300,
    leastBytesPerSecond: 1_024,
  };

  /** Sends a byte every 20 ms; returns how the server answers, or "closed". */
  async function dribble(start: string): Promise<string> {
    const peer = await harness.serve({ deadlines });
    const socket = await harness.connectRaw(peer);
    let answer = "";
    socket.on("data", (piece: Buffer) => (answer += piece.toString()));
    socket.write(start);
    const timer = setInterval(() => socket.write("a"), 20);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(timer);
    expect(await harness.client().call(peer, "a.b", [])).toEqual([]);
    return answer === "" ? "closed" : (answer.split("\r\n")[0] ?? "");
  }

  it("with its headers is cut off", async () => {
    expect(await dribble("POST / HTTP/1.1\r\nA: ")).toBe("closed");
  });

  it("with a small body is cut off after the time for small ones", async () => {
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n<methodCall><methodName>";
    expect(await dribble(head)).toBe("HTTP/1.1 408 Request Timeout");
  });

  it("with a large body is cut off where it falls below the least rate", async () => {
    const head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n<methodCall><methodName>";
    expect(await dribble(head)).toBe("HTTP/1.1 408 Request Timeout");
  });

  it("may have a large body that comes fast enough for longer than that", async () => {
    const peer = await harness.serve({ deadlines });
    const body = encodeCall("a.b", ["x".repeat(70_000)]);
    const socket = await harness.connectRaw(peer);
    const answered = new Promise<Buffer>((resolve) => socket.once("data", resolve));
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    for (let at = 0; at < body.length; at += 2_000) {
      socket.write(body.subarray(at, at + 2_000));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await answered).toString()).toContain("200 OK");
  });

  it("is half, and then gone: nothing is left of it", async () => {
    const peer = await harness.serve({ deadlines });
    const socket = await harness.connectRaw(peer);
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n<methodCall>");
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await harness.client().call(peer, "a.b", [])).toEqual([]);
  });
});
