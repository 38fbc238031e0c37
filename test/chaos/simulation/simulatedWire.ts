import { FuncError } from "../../../server/common/errors";
import type { XmlRpcValue } from "../../../server/wire/value";
import type { CallOptions, WirePeer } from "../../../server/wire/wireClient";
import { notAnswered } from "../../../server/wire/limitErrors";
import { brokenAnswer } from "../../../server/wire/wireErrors";
import type { Random } from "../../fuzz/random";
import type { SimulatedMinion } from "./simulatedMinion";
import type { VirtualClock } from "./virtualClock";

const MOST_LATENCY_MS = 60;
const CONNECT_LIMIT_MS = 5_000;
/** A request that the network keeps may arrive so much later, also after the call was given up. */
const MOST_STRAY_MS = 120_000;

/** The network between one overlord and all minions: it loses, delays and repeats. */
export class SimulatedWire {
  /** Off once the dust is to settle. */
  faulty = true;
  readonly counts = { calls: 0, lostRequests: 0, lostAnswers: 0, repeated: 0, refused: 0 };

  constructor(
    private readonly minions: ReadonlyMap<string, SimulatedMinion>,
    private readonly clock: VirtualClock,
    private readonly random: Random,
  ) {}

  /** What one overlord process has of it. As WireClient.call and isNative. */
  clientOf(isAlive: () => boolean): {
    call: (
      peer: WirePeer,
      method: string,
      params: readonly XmlRpcValue[],
      options?: CallOptions,
    ) => Promise<XmlRpcValue>;
    isNative: (peer: WirePeer) => boolean | undefined;
  } {
    const met = new Set<string>();
    return {
      isNative: ({ name }) => (met.has(name) ? this.minions.get(name)?.native : undefined),
      call: (peer, method, params, options = {}) =>
        new Promise((resolve, reject) => {
          const { signal, timeoutMs = 60_000 } = options;
          const cancelled = new FuncError("cancelled", `The call on ${peer.name} was cancelled.`);
          if (signal?.aborted) {
            reject(cancelled);
            return;
          }
          const state = { over: false };
          const end = (give: () => void): void => {
            if (state.over || !isAlive()) return;
            state.over = true;
            signal?.removeEventListener("abort", onAbort);
            give();
          };
          const fail = (error: FuncError): void => {
            end(() => {
              reject(error);
            });
          };
          const onAbort = (): void => {
            fail(cancelled);
          };
          signal?.addEventListener("abort", onAbort);
          void this.#carry(peer, method, params, {
            options,
            isOver: () => state.over || !isAlive(),
            onConnected: () => met.add(peer.name),
            onSent: () => {
              this.clock.after(timeoutMs, () => {
                fail(notAnswered(peer, timeoutMs));
              });
            },
            answer: (value) => {
              end(() => {
                resolve(value);
              });
            },
            fail,
          });
        }),
    };
  }

  async #carry(
    peer: WirePeer,
    method: string,
    params: readonly XmlRpcValue[],
    call: {
      options: CallOptions;
      isOver: () => boolean;
      onConnected: () => void;
      onSent: () => void;
      answer: (value: XmlRpcValue) => void;
      fail: (error: FuncError) => void;
    },
  ): Promise<void> {
    const { options, isOver, fail } = call;
    const minion = this.minions.get(peer.name);
    if (!minion) throw new Error(`no ${peer.name}`);
    this.counts.calls++;
    await this.#latency();
    if (isOver()) return;
    if (this.#happens(0.04)) {
      await this.clock.sleep(CONNECT_LIMIT_MS);
      fail(new FuncError("unreachable", `${peer.name} could not be reached.`));
      return;
    }
    if (!minion.isUp) {
      this.counts.refused++;
      fail(new FuncError("refused", `${peer.name} refused the connection.`));
      return;
    }
    call.onConnected();
    await options.beforeSending?.();
    if (isOver()) return;
    options.onSent?.();
    call.onSent();
    const { callId } = options;
    const life = minion.life;
    if (this.#happens(0.05)) this.#repeatLater(minion, method, params, callId);
    if (this.#happens(0.05)) {
      this.counts.lostRequests++;
      // it never arrives, or when nobody waits for it any more
      if (this.random.chance(0.5)) this.#repeatLater(minion, method, params, callId);
      if (this.random.chance(0.5)) fail(brokenAnswer(peer, "closed the connection"));
      return;
    }
    await this.#latency();
    if (hasDied(minion, life)) {
      fail(brokenAnswer(peer, "closed the connection"));
      return;
    }
    const answered = await Promise.race([
      minion.answer(method, params, callId).then((value) => ({ value })),
      minion.died.then(() => undefined),
    ]);
    if (!answered) {
      fail(brokenAnswer(peer, "closed the connection"));
      return;
    }
    if (this.#happens(0.05)) {
      this.counts.lostAnswers++;
      if (this.random.chance(0.5)) fail(brokenAnswer(peer, "closed the connection"));
      return;
    }
    await this.#latency();
    call.answer(answered.value);
  }

  /** The network repeats requests to those that can tell a repeat; others would run them twice, as they do. */
  #repeatLater(
    minion: SimulatedMinion,
    method: string,
    params: readonly XmlRpcValue[],
    callId: string | undefined,
  ): void {
    if (!minion.native) return;
    this.counts.repeated++;
    this.clock.after(this.random.below(MOST_STRAY_MS), () => {
      if (minion.isUp) void minion.answer(method, params, callId);
    });
  }

  async #latency(): Promise<void> {
    await this.clock.sleep(this.random.below(MOST_LATENCY_MS));
  }

  #happens(probability: number): boolean {
    return this.faulty && this.random.chance(probability);
  }
}

function hasDied(minion: SimulatedMinion, life: number): boolean {
  return !minion.isUp || minion.life !== life;
}
