import { attackOn } from "../fixtures/hostile/attackSocket";
import { connectClient } from "../fixtures/hostile/clientAttacks";
import type { FuncdVictim } from "../fixtures/hostile/funcdVictim";
import { EVIL, GOOD, type OverlordVictim } from "../fixtures/hostile/overlordVictim";
import { makeDocument, XML_WORDS } from "./documentGrammar";
import type { FuzzTarget } from "./fuzzTarget";
import { insist } from "./fuzzTarget";
import { cutInPieces, mutate } from "./mutation";
import type { Random } from "./random";

const HTTP_WORDS = ["\r\n", "\r\n\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n", "0\r\n\r\n", "POST / HTTP/1.1\r\n", "Func-Call: a\r\n", " ", ":", "\u0000"] as const; // prettier-ignore
const QUIET_MS = 100;

function message(random: Random, start: string, root: "methodCall" | "methodResponse"): Buffer {
  const document = mutate(random, Buffer.from(makeDocument(random, root)), XML_WORDS);
  const length = document.length + (random.chance(0.1) ? random.below(20) - 10 : 0);
  const head = Buffer.from(`${start}\r\nContent-Length: ${length}\r\n\r\n`);
  return Buffer.concat([random.chance(0.3) ? mutate(random, head, HTTP_WORDS) : head, document]);
}

/** A real funcd: whatever it is sent, it serves others. */
export function funcdTargets(victim: FuncdVictim): FuzzTarget[] {
  const isWell = async (): Promise<void> => {
    const answer = await victim.client.call(victim.peer, "test.ping", [], { timeoutMs: 30_000 });
    insist(answer === 1 && victim.isAlive, "funcd does not answer others any more");
  };
  return [
    {
      name: "live requests",
      make: (random) => message(random, "POST /RPC2 HTTP/1.1\r\nHost: a", "methodCall"),
      check: async (input, random) => {
        const socket = await victim.connect();
        await talk(socket, cutInPieces(random, input));
        await isWell();
      },
    },
    {
      name: "live bytes below TLS",
      make: (random) => mutate(random, Buffer.from(CLIENT_HELLO, "hex"), HTTP_WORDS),
      check: async (input, random) => {
        await talk(await victim.connectTcp(), cutInPieces(random, input));
        await isWell();
      },
    },
  ];
}

/** A real overlord: whatever a minion answers or a client says, the others are served. */
export function overlordTargets(victim: OverlordVictim): FuzzTarget[] {
  return [
    {
      name: "live answers",
      make: (random) => message(random, "HTTP/1.1 200 OK", "methodResponse"),
      check: async (input, random) => {
        victim.talk = (socket) => {
          for (const piece of cutInPieces(random, input)) socket.write(piece);
          socket.end();
        };
        const { results } = await victim.fleet.call({
          spec: `${EVIL};${GOOD}`,
          args: [1],
          timeoutMs: 30_000,
        });
        const good = results.find(({ minion }) => minion === GOOD);
        insist(good?.state === "succeeded", "another minion's result is lost");
      },
    },
    {
      name: "live clients",
      make: (random) => {
        const text = '{"jsonrpc":"2.0","id":1,"method":"minions/match","params":{"spec":"*"}}';
        return mutate(
          random,
          Buffer.from(`Content-Length: ${text.length}\r\n\r\n${text}`),
          CLIENT_WORDS,
        );
      },
      check: async (input, random) => {
        const socket = await connectClient(victim.fleet.home, random.chance(0.7));
        await talk(socket, cutInPieces(random, input));
        const status = await victim.fleet.connection.request("overlord/status", {});
        insist(status.pid > 0, "the overlord does not answer others any more");
      },
    },
  ];
}

const CLIENT_WORDS = ["\r\n", "{", "}", "[", "]", '"', "null", '"params":', '"id":', '"method":"shutdown"', '"method":"exit"', '"method":"$/cancelRequest"', "Content-Length: 2\r\n\r\n{}", "\\u0000", "é"] as const; // prettier-ignore
const CLIENT_HELLO = `16030100310100002d0303${"00".repeat(32)}000006130113021303010000020000`;

async function talk(
  socket: Parameters<typeof attackOn>[0],
  pieces: readonly Buffer[],
): Promise<void> {
  const patience = setTimeout(() => socket.destroy(), QUIET_MS);
  try {
    await attackOn(socket, Buffer.alloc(0), pieces);
  } finally {
    clearTimeout(patience);
    socket.destroy();
  }
}
