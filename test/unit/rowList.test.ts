import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ResultRow, RowKind, SortColumn } from "../../extension/webviews/resultsProtocol";
import { naturalKey } from "../../media/results/naturalKey";
import { RowList } from "../../media/results/rowList";
import { nextOrder } from "../../media/results/rowOrder";

function row(minion: string, more: Partial<ResultRow> = {}): ResultRow {
  return { minion, kind: "succeeded", label: "exit 0", text: "", ...more };
}

function listOf(...rows: ResultRow[]): RowList {
  const list = new RowList();
  list.update(rows);
  return list;
}

function names(list: RowList): string[] {
  return list.shown().map(({ minion }) => minion);
}

describe("naturalKey", () => {
  it("sorts the way people count", () => {
    const sorted = ["a", "web", "web-1", "web-2", "web-9", "web-10", "web-010", "web-100", "web-a"];
    const key = (name: string): string => naturalKey(name);
    const again = sorted.toReversed().sort((a, b) => (key(a) < key(b) ? -1 : 1));
    // of equal numbers the text decides
    expect(again).toEqual([...sorted.slice(0, 5), "web-010", "web-10", ...sorted.slice(7)]);
  });
});

describe("RowList", () => {
  it("sorts by each column, both ways, equal ones by name", () => {
    const list = listOf(
      row("web-10", { kind: "failed", label: "exit 1", text: "b", durationMs: 30 }),
      row("web-9", { text: "c", durationMs: 4 }),
      row("web-2", { kind: "waiting", label: "waiting", text: "a" }),
      row("web-1", { text: "c", durationMs: 200 }),
    );
    const by = (column: SortColumn, descending = false): string => {
      list.setOrder({ by: column, descending });
      return names(list)
        .map((name) => name.slice(4))
        .join();
    };
    expect(by("minion")).toBe("1,2,9,10");
    expect(by("minion", true)).toBe("10,9,2,1");
    expect(by("state")).toBe("1,9,10,2");
    expect(by("result")).toBe("2,10,1,9");
    expect(by("time")).toBe("9,10,1,2");
    expect(by("time", true)).toBe("2,1,10,9");
  });

  it("turns the order with the second click on a column", () => {
    const first = nextOrder({ by: "minion", descending: false }, "time");
    expect(first).toEqual({ by: "time", descending: false });
    expect(nextOrder(first, "time")).toEqual({ by: "time", descending: true });
  });

  it("is after any changes as if it had been sorted at once", () => {
    const change = fc.array(fc.tuple(fc.nat(40), fc.nat(5)), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(change), fc.boolean(), (changes, descending) => {
        const list = new RowList();
        list.setOrder({ by: "time", descending });
        for (const batch of changes) {
          list.update(batch.map(([name, durationMs]) => row(`m${name}`, { durationMs })));
          names(list);
        }
        const fresh = new RowList();
        fresh.setOrder({ by: "time", descending });
        fresh.update(list.all());
        expect(names(list)).toEqual(names(fresh));
      }),
    );
  });

  it("counts states as they change", () => {
    const list = listOf(row("a", { kind: "running" }), row("b", { kind: "running" }));
    list.update([row("a", { kind: "failed" }), row("c")]);
    const counts: [RowKind, number][] = [
      ["running", 1],
      ["failed", 1],
      ["succeeded", 1],
    ];
    expect(new Map(list.counts())).toEqual(new Map(counts));
    list.clear();
    expect(list.counts().size).toBe(0);
  });

  it("shows what a search found, whatever the words of the filter say", () => {
    const list = listOf(row("web1"), row("web2"), row("db1"));
    list.setFilter("host:web* needle", undefined);
    expect(names(list)).toEqual([]);
    list.setFound(
      new Map([
        ["web2", "a needle"],
        ["db1", "needle"],
      ]),
    );
    expect(names(list)).toEqual(["web2"]);
    list.setFound(undefined);
    expect(list.searchText).toBe("needle");
  });
});
