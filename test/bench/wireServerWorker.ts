import { callerOf } from "../../server/minion/accessControl";
import { RpcServer } from "../../server/wire/rpcServer";
import type { WirePeer } from "../../server/wire/wirePeer";
import type { BenchCredentials } from "./benchCredentials";
import { LoopbackBlock } from "./loopbackBlock";
import { workerReady } from "./worker";

export interface WireServers {
  peers: WirePeer[];
}

export interface WireServerOptions extends BenchCredentials {
  name: string;
  count: number;
}

/** Many servers as a funcd has, all in this process, each with an address of its own. */
export async function wireServerWorker({ name, count, ...pem }: WireServerOptions): Promise<void> {
  const block = await LoopbackBlock.find(count);
  const peers: WirePeer[] = [];
  for (let index = 0; index < count; index++) {
    const server = new RpcServer({
      ...pem,
      clientCertificate: "required",
      admitConnection: ({ certificate, remoteAddress }) => {
        callerOf(certificate, remoteAddress);
      },
      handle: async () => Promise.resolve([0, "host.example.com\n", ""]),
    });
    await server.listen(block.port, block.address(index));
    peers.push({ name, address: block.address(index), port: block.port });
  }
  workerReady({ peers });
}
