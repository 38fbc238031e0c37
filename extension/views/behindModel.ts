import { EventEmitter, type Disposable } from "vscode";
import type { DelegationMapNode, MapNodeState } from "../../server/protocol/delegation";
import { asFuncError } from "../errors";
import type { OverlordSession } from "../overlordSession";

/** Changes come in bursts, and of a large map all states are much to read. */
const STATES_MS = 1_000;

/** Who stands behind which sub-overlord, by the delegation map, and how they were last seen. */
export class BehindModel implements Disposable {
  private readonly emitter = new EventEmitter<"map" | "states">();
  readonly onDidChange = this.emitter.event;
  private nodes: readonly DelegationMapNode[] = [];
  private states = new Map<string, MapNodeState>();
  private timer: NodeJS.Timeout | undefined;
  private readonly disposables: Disposable[];

  constructor(private readonly session: OverlordSession) {
    this.disposables = [
      this.emitter,
      session.onMapChanged(() => void this.load().then(() => this.emitter.fire("map"))),
      session.onJobsChanged(() => this.readStatesSoon()),
    ];
  }

  /** Those that stand directly behind the host at `path`, in the map's order. */
  childrenOf(path: readonly string[]): readonly DelegationMapNode[] {
    let children = this.nodes;
    for (const name of path) {
      children = children.find((node) => isSame(node.name, name))?.children ?? [];
    }
    return children;
  }

  /** How many stand behind it, to any depth. */
  countBehind(path: readonly string[]): number {
    let count = 0;
    let level = this.childrenOf(path);
    while (level.length > 0) {
      count += level.length;
      level = level.flatMap(({ children }) => children);
    }
    return count;
  }

  stateOf(path: readonly string[]): MapNodeState | undefined {
    return this.states.get(keyOf(path));
  }

  /** Reads map and states anew. Never rejects: without a map nobody stands behind anybody. */
  async load(): Promise<void> {
    try {
      this.nodes = (await this.session.request("map/read", {})).nodes;
      await this.readStates();
    } catch (error) {
      // of a damaged file the map's own page tells
      if (asFuncError(error).reason === "not-found") this.nodes = [];
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private readStatesSoon(): void {
    if (!this.nodes.some(({ children }) => children.length > 0)) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.readStates().then(
        () => this.emitter.fire("states"),
        () => undefined,
      );
    }, STATES_MS);
  }

  private async readStates(): Promise<void> {
    const { states } = await this.session.request("map/states", {});
    this.states = new Map(states.map((state) => [keyOf(state.path), state]));
  }
}

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

function keyOf(path: readonly string[]): string {
  return path.join("\n").toLowerCase();
}
