import { Agent, request } from "node:https";
import { createSecureContext, TLSSocket } from "node:tls";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { decodeResponse } from "../../server/wire/decode";
import { encodeCall } from "../../server/wire/encode";
import { WireClient } from "../../server/wire/wireClient";
import type { WirePeer } from "../../server/wire/wirePeer";
import type { BenchCredentials } from "./benchCredentials";

/** "agent" is Node's own client with kept connections, everything else ours. */
export type WireMode = "fresh" | "resumed" | "held" | "agent";

export interface WireClientOptions extends BenchCredentials {
  mode: WireMode;
  peers: WirePeer[];
  calls: number;
}

export interface WireClientReport {
  /** TLS sessions that were resumed. */
  resumed: number;
  /** TLS sessions that began anew. */
  full: number;
  /** Of the `calls` alone, without what had to be there before. */
  callsPerSecond: number;
}

/** The number of peers is a multiple of it: each peer then has one call at a time, as from an overlord. */
const CONCURRENCY = 64;
const PARAMS = ["hostname"];
const METHOD = "command.run";

/** Makes calls as the overlord does and prints a WireClientReport. */
export async function wireClientWorker(options: WireClientOptions): Promise<void> {
  const sessions = countSessions();
  const { mode, peers, calls } = options;
  const make: () => Caller = () => (mode === "agent" ? agentCaller(options) : wireCaller(options));
  let caller = make();
  // sessions and connections that the calls are to find
  if (mode !== "fresh") await callAll(peers, peers.length, caller);
  const start = performance.now();
  if (mode === "fresh") {
    // a client remembers its peers: for each round over them it has to be another
    for (let left = calls; left > 0; left -= peers.length) {
      await callAll(peers, Math.min(left, peers.length), caller);
      caller.close();
      caller = make();
    }
  } else {
    await callAll(peers, calls, caller);
  }
  const callsPerSecond = calls / ((performance.now() - start) / 1_000);
  caller.close();
  const report: WireClientReport = { ...sessions, callsPerSecond };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

interface Caller {
  call(peer: WirePeer): Promise<unknown>;
  close(): void;
}

async function callAll(peers: readonly WirePeer[], calls: number, caller: Caller): Promise<void> {
  const worker = async (_: unknown, first: number): Promise<void> => {
    for (let call = first; call < calls; call += CONCURRENCY) {
      const peer = peers[call % peers.length];
      if (peer) await caller.call(peer);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

function wireCaller({ mode, peers, key, certificate, ca }: WireClientOptions): Caller {
  const maxHeld = mode === "held" ? peers.length : 0;
  const client = new WireClient({ key, certificate, ca, verifyPeer: verifyMinionPeer, maxHeld });
  return {
    call: (peer) => client.call(peer, METHOD, PARAMS),
    close: () => {
      client.close();
    },
  };
}

/** The same call by https.Agent, with what is ours to be fair: shared context, encoding and decoding. */
function agentCaller({ key, certificate, ca }: WireClientOptions): Caller {
  const agent = new Agent({
    keepAlive: true,
    secureContext: createSecureContext({ key, cert: certificate, ca }),
    checkServerIdentity: () => undefined,
  });
  const call = (peer: WirePeer): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const body = encodeCall(METHOD, PARAMS);
      const sent = request(
        {
          agent,
          host: peer.address,
          port: peer.port,
          method: "POST",
          path: "/RPC2",
          headers: { "Content-Type": "text/xml", "Content-Length": body.length },
        },
        (response) => {
          const pieces: Buffer[] = [];
          response.on("data", (piece: Buffer) => pieces.push(piece));
          response.on("end", () => {
            resolve(decodeResponse(Buffer.concat(pieces)));
          });
        },
      );
      sent.on("error", reject).end(body);
    });
  return {
    call,
    close: () => {
      agent.destroy();
    },
  };
}

/** Whether sessions are really resumed, or not, as a mode says. */
function countSessions(): { resumed: number; full: number } {
  const counts = { resumed: 0, full: 0 };
  const emit = Reflect.get(TLSSocket.prototype, "emit") as (...args: unknown[]) => boolean;
  Reflect.set(
    TLSSocket.prototype,
    "emit",
    function (this: TLSSocket, event: unknown, ...args: unknown[]): boolean {
      if (event === "secureConnect") counts[this.isSessionReused() ? "resumed" : "full"]++;
      return emit.call(this, event, ...args);
    },
  );
  return counts;
}
