import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHostPort, parseHostPort } from "../../server/common/hostPort";
import { formatJoinToken, parseJoinToken } from "../../server/pki/enrolment/joinToken";
import { matchesNameGlob, parseNameGlob } from "../../server/pki/certmaster/nameGlob";
import { TokenBook } from "../../server/pki/certmaster/tokenBook";

const badArgument = expect.objectContaining({ reason: "bad-argument" }) as Error;
const denied = expect.objectContaining({ reason: "denied" }) as Error;

describe("join token", () => {
  const content = {
    id: "0a1b2c3d",
    secret: "s".repeat(43),
    caFingerprint: "ab".repeat(32),
    addresses: ["10.0.0.1:51235", "[2001:db8::1]:51235", "overlord.example.org:1"],
  };

  it("is one word that reads back", () => {
    const text = formatJoinToken(content);
    expect(text).toMatch(/^func-join-[A-Za-z0-9_-]+$/);
    expect(parseJoinToken(`  ${text}\n`)).toEqual(content);
  });

  it("is refused where anything is wrong, without repeating it", () => {
    const text = formatJoinToken(content);
    const other = (change: object): string => formatJoinToken({ ...content, ...change });
    const bad = [
      "",
      "func-join-",
      text.slice(0, -3),
      text.slice(3),
      `${text}!`,
      `func-join-${"A".repeat(9000)}`,
      other({ id: "../../etc" }),
      other({ secret: "short" }),
      other({ caFingerprint: "00" }),
      other({ addresses: [] }),
      other({ addresses: ["no port"] }),
      other({ addresses: Array(17).fill("a:1") }),
      `func-join-${Buffer.from("null").toString("base64url")}`,
    ];
    for (const one of bad) {
      expect(() => parseJoinToken(one)).toThrow(badArgument);
      expect(() => parseJoinToken(one)).not.toThrow(/sss/);
    }
  });

  it("of any text never fails in another way", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() =>
          parseJoinToken(`func-join-${Buffer.from(json).toString("base64url")}`),
        ).toThrow(badArgument);
      }),
    );
  });
});

describe("an address", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1", 7],
    ["10.0.0.1:80", "10.0.0.1", 80],
    ["Host.example.org:80", "Host.example.org", 80],
    ["::1", "::1", 7],
    ["[::1]", "::1", 7],
    ["[2001:db8::1]:80", "2001:db8::1", 80],
  ])("%s is read", (text, host, port) => {
    expect(parseHostPort(text, 7)).toEqual({ host, port });
    expect(parseHostPort(formatHostPort({ host, port }))).toEqual({ host, port });
  });

  it.each(["", ":80", "a:0", "a:65536", "a:b", "a b", "[x]:1", "http://a", "a:1:2", "[::1", "-a"])(
    "%j is refused",
    (text) => expect(() => parseHostPort(text, 7)).toThrow(badArgument),
  );

  it("without a port needs a default", () => {
    expect(() => parseHostPort("10.0.0.1")).toThrow(badArgument);
  });
});

describe("name glob", () => {
  it.each([
    ["*", "web1", true],
    ["web*", "web1.example.org", true],
    ["*.example.org", "web1.example.org", true],
    ["web?", "web1", true],
    ["web?", "web", false],
    ["web1", "web11", false],
    ["w*b*1", "wxbyb1", true],
    ["*a", "ab", false],
  ])("%s on %s is %s", (glob, name, expected) => {
    expect(matchesNameGlob(glob, name)).toBe(expected);
  });

  it("agrees with a regular expression", () => {
    const letters = (alphabet: string) =>
      fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
    fc.assert(
      fc.property(letters("ab*?"), letters("ab"), (glob, name) => {
        const pattern = `^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`;
        return matchesNameGlob(glob, name) === new RegExp(pattern).test(name);
      }),
      { numRuns: 2000 },
    );
  });

  it("of bad characters is refused", () => {
    expect(parseNameGlob(" Web* ")).toBe("web*");
    for (const text of ["", "a b", "a;b", "a/b", "*".repeat(300)])
      expect(() => parseNameGlob(text)).toThrow(badArgument);
  });
});

describe("token book", () => {
  const soon = 1000;

  it("lets a token be used once", () => {
    const book = new TokenBook();
    const { id, secret } = book.add(soon, undefined, 0);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    book.reserve(id, secret, "web1", 0);
    expect(() => book.reserve(id, secret, "web2", 0)).toThrow(/being used/);
    book.giveBack(id);
    book.reserve(id, secret, "web1", 0);
    book.use(id);
    book.giveBack(id);
    expect(() => book.reserve(id, secret, "web1", 0)).toThrow(/used already/);
    expect(book.list(0)).toEqual([]);
  });

  it("tells who has no secret nothing", () => {
    const book = new TokenBook();
    const { id, secret } = book.add(soon, "web*", 0);
    const messages = [
      ["00000000", "x"],
      ["00000000", secret],
      [id, "x"],
      [id, ""],
    ].map(([i = "", s = ""]) => {
      try {
        book.reserve(i, s, "web1", 0);
        return "accepted";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages)).toEqual(new Set(["The join token is not valid."]));
  });

  it("ends a token after ten wrong secrets", () => {
    const book = new TokenBook();
    const { id, secret } = book.add(soon, undefined, 0);
    for (let i = 0; i < 9; i++) expect(() => book.reserve(id, `${i}`, "web1", 0)).toThrow(denied);
    expect(book.list(0)).toHaveLength(1);
    expect(() => book.reserve(id, "x", "web1", 0)).toThrow(denied);
    expect(book.list(0)).toEqual([]);
    expect(() => book.reserve(id, secret, "web1", 0)).toThrow(/too many/);
  });

  it("ends tokens in time", () => {
    const book = new TokenBook();
    const { id, secret } = book.add(soon, undefined, 0);
    book.add(soon + 1, undefined, 0);
    expect(book.nextExpiryMs(0)).toBe(soon);
    expect(() => book.reserve(id, secret, "web1", soon)).toThrow(/expired/);
    expect(book.nextExpiryMs(soon)).toBe(soon + 1);
    expect(book.nextExpiryMs(soon + 1)).toBeUndefined();
  });

  it("binds a token to its names", () => {
    const book = new TokenBook();
    const { id, secret } = book.add(soon, "web*", 0);
    expect(() => book.reserve(id, secret, "db1", 0)).toThrow(/named web\*, not for db1/);
    book.reserve(id, secret, "web1", 0);
  });

  it("is bounded", () => {
    const book = new TokenBook();
    const first = book.add(soon, undefined, 0);
    for (let i = 1; i < 10_000; i++) book.add(soon, undefined, 0);
    expect(() => book.add(soon, undefined, 0)).toThrow(/10000 open/);
    book.reserve(first.id, first.secret, "web1", 0);
    book.use(first.id);
    book.add(soon, undefined, 0);
    expect(book.list(soon)).toEqual([]);
    book.add(2 * soon, undefined, soon);
  });
});
