import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupsText, parseGroupName, parseHosts } from "../../server/targets/groupsText";

function groupsOf(text: string): Record<string, string[]> {
  return Object.fromEntries(GroupsText.parse(text, "groups").groups());
}

function edited(text: string, edit: (document: GroupsText) => void): string {
  const document = GroupsText.parse(text, "groups");
  edit(document);
  return document.toString();
}

describe("a groups file", () => {
  it("is read as the original's", () => {
    expect(
      groupsOf(
        "# all\n; of them\n\n[Web]\nhost = Web1, web2;web3\nhost: web4,\nHOST=web1\n" +
          "  web[5-7] ;\r\n  web8\n[db] # two\n# none yet\nhost =\n[web]\nhost = web9",
      ),
    ).toEqual({
      web: ["web1", "web2", "web3", "web4", "web[5-7]", "web8", "web9"],
      db: [],
    });
    expect(groupsOf("")).toEqual({});
  });

  it.each([
    ["host = a\n", 1, "before the first"],
    ["[a]\nhost = a\n\n[b\n", 4, "expected"],
    ["[a]\nsubgroup = b\n", 2, "subgroup"],
    ["[a]\nhost = a, b c\n", 2, `"b c"`],
    ["[a]\nhost = a # note\n", 2, "lines of their own"],
    ["[a]\nhost = a/b\n", 2, `"a/b"`],
    ["[a]\nb\n", 2, "expected"],
    ["[a]\n  b\n", 2, "expected"],
    ["[a]\nhost = a\n\n  b\n", 4, "expected"],
    ["[]\n", 1, "no name of a group"],
    ["[a b]\n", 1, "no name of a group"],
    ["[a:b]\n", 1, "no name of a group"],
    ["[a] host = b\n", 1, "expected"],
    ["[a]\nhost = \u001b[31mx\n", 2, `"?[31mx"`],
  ])("is refused as a whole where %j is damaged", (text, line, problem) => {
    expect(() => groupsOf(text)).toThrow(
      expect.objectContaining({
        reason: "bad-data",
        message: expect.stringContaining(`groups:${line}: `) as string,
      }),
    );
    expect(() => groupsOf(text)).toThrow(problem);
  });

  it("keeps comments and untouched lines through edits", () => {
    const text =
      "# mine\n[WEB]\n; the old ones\nhost = web1;web2\nhost = web3\n\n# databases\n[db]\nhost = db1;db2\n";
    expect(
      edited(text, (document) => {
        document.add("web", ["web2", "web4"]);
        document.remove("db", new Set(["db1"]));
        document.add("new", ["n*"]);
      }),
    ).toBe(
      "# mine\n[web]\n; the old ones\nhost = web1;web2\nhost = web3, web4\n\n# databases\n[db]\nhost = db2\n\n[new]\nhost = n*\n",
    );
    expect(
      edited(text, (document) => {
        document.delete("web");
      }),
    ).toBe("# mine\n# databases\n[db]\nhost = db1;db2\n");
  });

  it("agrees with a map of sets, whatever the edits", () => {
    const group = fc.constantFrom("a", "b", "c");
    const hosts = fc.array(fc.constantFrom("h1", "h2", "h*", "x.y"), { maxLength: 4 });
    const edit = fc.record({ kind: fc.constantFrom("add", "remove", "delete"), group, hosts });
    const start = fc.array(
      fc.constantFrom("[a]", "[B]", "[a] ; x", "# c", "", "host = h1;h2", "host=h*", " x.y , h1"),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(start, fc.array(edit, { maxLength: 8 }), (lines, edits) => {
        // " x.y" goes on with hosts only
        const text = ["[c]", ...lines]
          .filter((line, index, all) => !line.startsWith(" ") || all[index - 1]?.includes("="))
          .join("\n");
        const document = GroupsText.parse(text, "groups");
        const comments = text.split("\n").filter((line) => line === "# c").length;
        const model = new Map([...document.groups()].map(([name, of]) => [name, new Set(of)]));
        for (const { kind, group: name, hosts: given } of edits) {
          if (kind === "add") {
            document.add(name, given);
            model.set(name, new Set([...(model.get(name) ?? []), ...given]));
          } else if (kind === "remove") {
            document.remove(name, new Set(given));
            for (const host of given) model.get(name)?.delete(host);
          } else {
            document.delete(name);
            model.delete(name);
          }
        }
        const sorted = (of: Iterable<[string, Iterable<string>]>): unknown =>
          new Map([...of].map(([name, members]) => [name, [...members].sort()]));
        const read = GroupsText.parse(document.toString(), "groups");
        expect(sorted(read.groups())).toEqual(sorted(model));
        expect(sorted(document.groups())).toEqual(sorted(model));
        expect(read.toString()).toBe(document.toString());
        if (edits.every(({ kind }) => kind !== "delete")) {
          expect(document.toString().split("# c")).toHaveLength(comments + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("has names of groups and hosts that fit", () => {
    expect(parseGroupName(" Web-1.x ")).toBe("web-1.x");
    for (const name of ["", "@web", "a;b", "a:b", "a]", "web*", "-a", "a".repeat(101)]) {
      expect(() => parseGroupName(name)).toThrow(
        expect.objectContaining({ reason: "bad-argument" }),
      );
    }
    expect(parseHosts(["Web1,web2;", " db[!1]? "])).toEqual(["web1", "web2", "db[!1]?"]);
    const behind = ["web1@mid1", "*@mid1/mid3"];
    expect(parseHosts(behind)).toEqual(behind);
    for (const host of ["@web", "web@", "a@b@c", "a/b", `web@${"m".repeat(250)}`]) {
      expect(() => parseHosts([host]), host).toThrow(/is no host name or glob/);
    }
    for (const host of ["a b", "@web", "a\nb", "ä", "a".repeat(254)]) {
      expect(() => parseHosts([host])).toThrow(expect.objectContaining({ reason: "bad-argument" }));
    }
  });
});
