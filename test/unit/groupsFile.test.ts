import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { editGroup, listGroups } from "../../server/targets/groups";
import { GroupsFile } from "../../server/targets/groupsFile";

let folder: string;
let path: string;
let file: GroupsFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "func-groups-"));
  path = join(folder, "groups");
  file = new GroupsFile(path);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it("makes, changes and deletes groups, read back by another", async () => {
  const read = (): Promise<unknown> => listGroups(new GroupsFile(path));
  expect(await read()).toEqual([]);
  await editGroup(file, { name: "Web", add: ["web1,web2;web3", "WEB1"] });
  await editGroup(file, { name: "empty" });
  expect(await read()).toEqual([
    { name: "empty", hosts: [] },
    { name: "web", hosts: ["web1", "web2", "web3"] },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await editGroup(file, { name: "web", add: ["web1"] });
  await editGroup(file, { name: "WEB", add: ["db*"], remove: ["web1", "WEB2"] });
  await editGroup(file, { name: "empty", delete: true });
  expect(await read()).toEqual([{ name: "web", hosts: ["web3", "db*"] }]);
});

it("refuses what cannot be done, and changes nothing then", async () => {
  await editGroup(file, { name: "web", add: ["web1", "db*"] });
  const before = readFileSync(path, "utf8");
  const wrong: [Parameters<typeof editGroup>[1], string, RegExp][] = [
    [{ name: "wbe", delete: true }, "not-found", /no group "wbe". Did you mean web\?/],
    [{ name: "new", remove: ["web1"] }, "not-found", /no group "new"/],
    [{ name: "web", add: ["x"], remove: ["web1", "wbe1"] }, "not-found", /Did you mean web1\?/],
    [{ name: "web", remove: ["db7"] }, "not-found", /by the glob "db\*" only/],
    [{ name: "@web", add: ["x"] }, "bad-argument", /@web/],
    [{ name: "web", add: ["a b"] }, "bad-argument", /a b/],
    [{ name: "-e", add: ["a"] }, "bad-argument", /"-e" is no name .* "\." not at its beginning/],
    [
      { name: "web", add: ["a;-e"] },
      "bad-argument",
      /"-e" can match no minion: no name begins with "-"/,
    ],
    [{ name: "web", add: ["a"], remove: ["A"] }, "bad-argument", /both/],
    [{ name: "web", add: ["a"], delete: true }, "bad-argument", /deleted/],
  ];
  for (const [params, reason, message] of wrong) {
    const expected = { reason, message: expect.stringMatching(message) as string };
    await expect(editGroup(file, params)).rejects.toMatchObject(expected);
  }
  expect(readFileSync(path, "utf8")).toBe(before);
});

it("takes out of a group what may not be added any more", async () => {
  writeFileSync(path, "[web]\nhost = -e, web1\n");
  await editGroup(file, { name: "web", remove: ["-e"] });
  expect(await listGroups(file)).toEqual([{ name: "web", hosts: ["web1"] }]);
});

it("does edits that come together one after the other", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `h${index}`);
  await Promise.all(names.map((host) => editGroup(file, { name: "all", add: [host] })));
  expect(await listGroups(file)).toEqual([{ name: "all", hosts: names }]);
});

it("sees what people write into the file, and keeps it", async () => {
  await editGroup(file, { name: "web", add: ["web1"] });
  writeFileSync(path, Buffer.from("# gr\xfc\xdfe\n[web]\nhost = web2\n", "latin1"));
  expect(await listGroups(file)).toEqual([{ name: "web", hosts: ["web2"] }]);
  await editGroup(file, { name: "web", add: ["web3"] });
  expect(readFileSync(path, "latin1")).toBe("# gr\xfc\xdfe\n[web]\nhost = web2, web3\n");
  rmSync(path);
  expect(await listGroups(file)).toEqual([]);
});

it("refuses a damaged file until it is right again", async () => {
  writeFileSync(path, "[web]\nhost = web1\nhots = web2\n");
  const damaged = {
    reason: "bad-data",
    message: expect.stringContaining(`${path}:3: `) as string,
    nextStep: `Correct line 3 of ${path}.`,
  };
  await expect(listGroups(file)).rejects.toMatchObject(damaged);
  await expect(editGroup(file, { name: "db", add: ["db1"] })).rejects.toMatchObject(damaged);
  expect(readFileSync(path, "utf8")).toContain("hots");
  writeFileSync(path, "[web]\nhost = web1\nhost = web2\n");
  expect(await listGroups(file)).toEqual([{ name: "web", hosts: ["web1", "web2"] }]);
});

it("reads no file without end", async () => {
  writeFileSync(path, "");
  truncateSync(path, 9 * 1024 * 1024);
  await expect(listGroups(file)).rejects.toMatchObject({ reason: "too-large" });
});
