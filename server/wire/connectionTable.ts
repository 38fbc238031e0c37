import type { Socket } from "node:net";

/** What a connection does; the later in this list, the less it is given up for another. */
const ACTIVITIES = ["idle", "receiving", "busy"] as const;
export type Activity = (typeof ACTIVITIES)[number];

interface Entry {
  socket: Socket;
  address: string;
  isProven: boolean;
  activity: Activity;
}

export interface ConnectionLimits {
  /** Connections whose peer has not shown who it is. */
  maxUnproven: number;
  /** Connections whose peer has an acceptable certificate. */
  maxProven: number;
}

/**
 * All connections of a server. Where there are too many, a new one takes the place of the one that has been
 * idle for longest among those of the address that has most: who floods a server pushes out itself. The
 * unproven have places of their own, so that they can never take those of the proven.
 */
export class ConnectionTable {
  /** In the order of their last activity. */
  readonly #entries = new Map<Socket, Entry>();

  constructor(private readonly limits: ConnectionLimits) {}

  /** Takes in a connection of nobody known. Returns how many had to go for it. */
  add(socket: Socket): number {
    const entry: Entry = {
      socket,
      address: socket.remoteAddress ?? "?",
      isProven: false,
      activity: "idle",
    };
    this.#entries.set(socket, entry);
    socket.once("close", () => this.#entries.delete(socket));
    return this.#makeRoom(entry);
  }

  /** Its peer has shown who it is. Returns how many had to go for it: itself, where all others are busy. */
  prove(socket: Socket): number {
    const entry = this.#entries.get(socket);
    if (!entry) return 0;
    entry.isProven = true;
    this.#touch(entry);
    return this.#makeRoom(entry);
  }

  set(socket: Socket, activity: Activity): void {
    const entry = this.#entries.get(socket);
    if (!entry) return;
    entry.activity = activity;
    this.#touch(entry);
  }

  destroyAll(): void {
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  #touch(entry: Entry): void {
    this.#entries.delete(entry.socket);
    this.#entries.set(entry.socket, entry);
  }

  #makeRoom(newest: Entry): number {
    const alike = [...this.#entries.values()].filter(
      ({ isProven }) => isProven === newest.isProven,
    );
    const most = newest.isProven ? this.limits.maxProven : this.limits.maxUnproven;
    if (alike.length <= most) return 0;
    const victim = victimOf(alike.filter((entry) => entry !== newest)) ?? newest;
    this.#entries.delete(victim.socket);
    victim.socket.destroy();
    return 1;
  }
}

function victimOf(entries: readonly Entry[]): Entry | undefined {
  const counts = new Map<string, number>();
  for (const { address } of entries) counts.set(address, (counts.get(address) ?? 0) + 1);
  let victim: Entry | undefined;
  for (const entry of entries) {
    if (entry.activity !== "busy" && (!victim || isBetter(entry, victim, counts))) victim = entry;
  }
  return victim;
}

/** Whether `entry` should go rather than `other`, which has been quiet for longer. */
function isBetter(entry: Entry, other: Entry, counts: ReadonlyMap<string, number>): boolean {
  const activity = ACTIVITIES.indexOf(entry.activity) - ACTIVITIES.indexOf(other.activity);
  if (activity !== 0) return activity < 0;
  return (counts.get(entry.address) ?? 0) > (counts.get(other.address) ?? 0);
}
