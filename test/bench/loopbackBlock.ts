import { createServer } from "node:net";

const PER_BLOCK = 250 * 250;
const TRIES = 50;
/** Below the ports that the kernel gives to outgoing connections. */
const LEAST_PORT = 20_000;
const PORTS = 10_000;

/**
 * Addresses of the loopback network, one for each of many servers, and a port that is free on them. Linux
 * lets anybody listen on any address of 127.0.0.0/8.
 */
export class LoopbackBlock {
  private constructor(
    private readonly second: number,
    readonly port: number,
  ) {}

  /** Finds a block whose first and last address are free. Throws where there is none. */
  static async find(size: number): Promise<LoopbackBlock> {
    if (size > PER_BLOCK) throw new RangeError(`A block has ${PER_BLOCK} addresses, not ${size}.`);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const block = new LoopbackBlock(
        1 + Math.floor(Math.random() * 250),
        LEAST_PORT + Math.floor(Math.random() * PORTS),
      );
      const ends = [...new Set([0, size - 1])];
      const free = await Promise.all(ends.map((index) => block.isFree(index)));
      if (free.every(Boolean)) return block;
    }
    throw new Error("No free addresses in 127.0.0.0/8: is this Linux?");
  }

  /** The address of the server with this index. */
  address(index: number): string {
    return `127.${this.second}.${Math.floor(index / 250)}.${1 + (index % 250)}`;
  }

  private isFree(index: number): Promise<boolean> {
    return new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => {
        resolve(false);
      });
      server.listen(this.port, this.address(index), () => {
        server.close(() => {
          resolve(true);
        });
      });
    });
  }
}
