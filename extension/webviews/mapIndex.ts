import type { DelegationMapNode } from "../../server/protocol/delegation";
import type { MinionResult } from "../../server/protocol/jobs";

/** The hosts of a map by place, parents before children; 0 is the overlord itself. */
export class MapIndex {
  readonly names: string[];
  readonly parents: number[] = [-1];
  private readonly byPath = new Map<string, number>();
  /** The first place of each name. */
  private readonly byName = new Map<string, number>();

  /** `top`: how the overlord itself is called. */
  constructor(top: string, nodes: readonly DelegationMapNode[]) {
    this.names = [top];
    let level = nodes.map((node) => ({ node, parent: 0, above: "" }));
    while (level.length > 0) {
      level = level.flatMap(({ node, parent, above }) => {
        const place = this.names.length;
        const path = `${above}\n${keyOf(node.name)}`;
        this.names.push(node.name);
        this.parents.push(parent);
        this.byPath.set(path, place);
        if (!this.byName.has(keyOf(node.name))) this.byName.set(keyOf(node.name), place);
        return node.children.map((child) => ({ node: child, parent: place, above: path }));
      });
    }
  }

  find(path: readonly string[]): number | undefined {
    return this.byPath.get(path.map((name) => `\n${keyOf(name)}`).join(""));
  }

  /** The host that a result is of: through whom it went says which, where several have the name. */
  placeOf({ minion, via }: Pick<MinionResult, "minion" | "via">): number | undefined {
    const [name = "", overlord] = minion.split("@");
    if (via && via.length > 0) return this.find([...via, name]);
    const place = this.byPath.get(`\n${keyOf(minion)}`) ?? this.byName.get(keyOf(name));
    if (place === undefined || overlord === undefined) return place;
    return this.names.findIndex(
      (other, at) =>
        keyOf(other) === keyOf(name) &&
        keyOf(this.names[this.parents[at] ?? 0] ?? "") === keyOf(overlord),
    );
  }

  /** Names from the first host on; empty for the overlord itself. */
  pathOf(place: number): string[] {
    const path: string[] = [];
    for (let at = place; at > 0; at = this.parents[at] ?? 0) path.unshift(this.names[at] ?? "");
    return path;
  }

  /** Whether hosts stand behind it. */
  isOverlord(place: number): boolean {
    return this.overlords.has(place);
  }

  private get overlords(): ReadonlySet<number> {
    return (this.knownOverlords ??= new Set(this.parents));
  }

  private knownOverlords: ReadonlySet<number> | undefined;
}

function keyOf(name: string): string {
  return name.toLowerCase();
}
