import { describe, expect, it } from "vitest";
import { Autosign, parseNetwork } from "../../server/pki/certmaster/autosign";
import {
  fingerprintWords,
  isFingerprint,
  parseFingerprint,
} from "../../server/pki/certificates/fingerprintWords";
import { plainAddress, sourceOf } from "../../server/pki/certmaster/sourceAddress";
import { TokenGuesses } from "../../server/pki/certmaster/tokenGuesses";
import { WaitingRequests, type HostRequest } from "../../server/pki/certmaster/waitingRequests";

const HOUR_MS = 60 * 60_000;

describe("the words of a fingerprint", () => {
  const all = Array.from({ length: 32 }, (_, row) =>
    fingerprintWords(
      Buffer.from(Array.from({ length: 8 }, (__, at) => row * 8 + at)).toString("hex"),
    ),
  ).flatMap((words) => words.split(" "));

  it("are 256 that nobody takes for each other", () => {
    expect(new Set(all.map((word) => word.slice(0, 4))).size).toBe(256);
    expect(all.every((word) => /^[a-z]{2,8}$/.test(word))).toBe(true);
  });

  it("stand for its first 64 bits, and are read back", () => {
    const fingerprint = "00ff10a1b2c3d4e5".padEnd(64, "7");
    const words = fingerprintWords(fingerprint);
    expect(words.split(" ")).toHaveLength(8);
    expect(words).toMatch(/^acid zebra /);
    for (const typed of [words, words.toUpperCase(), words.replaceAll(" ", "-"), ` ${words}\n`]) {
      expect(parseFingerprint(typed)).toBe("00ff10a1b2c3d4e5");
      expect(isFingerprint(parseFingerprint(typed), fingerprint)).toBe(true);
    }
    const colons = fingerprint.toUpperCase().match(/../g)?.join(":") ?? "";
    expect(parseFingerprint(colons)).toBe(fingerprint);
    expect(isFingerprint(parseFingerprint(words), "11".repeat(32))).toBe(false);
    expect(isFingerprint("", fingerprint)).toBe(false);
  });

  it.each([
    "",
    "acid",
    "acid ".repeat(9),
    "acid ".repeat(7) + "nonsense",
    "ab".repeat(31),
    "00ff10a1",
  ])("are asked for anew where it is %j", (typed) => {
    expect(() => parseFingerprint(typed)).toThrow("This is no fingerprint");
  });
});

describe("the source of a request", () => {
  it("is an IPv4 address, or an IPv6 network", () => {
    expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(sourceOf("::ffff:10.0.0.1")).toBe("10.0.0.1");
    const network = sourceOf("2001:db8:1:2:3:4:5:6");
    expect(sourceOf("2001:db8:1:2::9")).toBe(network);
    expect(sourceOf("2001:0db8:0001:0002::9")).toBe(network);
    expect(sourceOf("2001:db8:1:3::9")).not.toBe(network);
    expect(sourceOf("fe80::1%eth0")).toBe(sourceOf("fe80::2%eth1"));
    expect(sourceOf("::1")).toBe("0:0:0:0::/64");
  });
});

describe("requests that wait", () => {
  const request = (at: number, more: Partial<HostRequest> = {}): HostRequest => ({
    name: `web${at}`,
    keyFingerprint: `key${at}`,
    csr: "",
    from: `10.0.${Math.floor(at / 250)}.${at % 250}`,
    address: "a",
    port: 1,
    ...more,
  });

  it("are bounded: 20 from one source, 1,000 in all, 24 hours", () => {
    const waiting = new WaitingRequests();
    for (let at = 0; at < 20; at++) waiting.add(request(at, { from: "10.9.9.9" }), 0);
    expect(() => waiting.add(request(20, { from: "::ffff:10.9.9.9" }), 0)).toThrow("Too many");
    for (let at = 20; at < 1000; at++) waiting.add(request(at), 1);
    expect(() => waiting.add(request(1000), 1)).toThrow("too many requests waiting");
    expect(waiting.list(24 * HOUR_MS)).toHaveLength(980);
    waiting.add(request(1000), 24 * HOUR_MS);
    expect(waiting.list(48 * HOUR_MS)).toHaveLength(0);
  });

  it("of one name do not displace each other", () => {
    const waiting = new WaitingRequests();
    waiting.add(request(1), 0);
    waiting.add(request(1, { keyFingerprint: "other" }), 1);
    expect(waiting.list(1).map(({ keyFingerprint }) => keyFingerprint)).toEqual(["key1", "other"]);
    waiting.deny("other", 1);
    expect(waiting.list(1)).toHaveLength(1);
    expect(waiting.find(request(1))).toMatchObject({ sinceMs: 0 });
  });

  it("follow their host to another address, but not what came over plain HTTP", () => {
    const waiting = new WaitingRequests();
    waiting.add(request(1), 0);
    waiting.refresh(request(1, { address: "b", port: 2 }));
    expect(waiting.find(request(1))).toMatchObject({ address: "b", port: 2 });
    waiting.refresh(request(1, { address: "c", unprotected: true }));
    expect(waiting.find(request(1))).toMatchObject({ address: "b" });
  });

  it("that were denied may come again after an hour", () => {
    const waiting = new WaitingRequests();
    waiting.deny("key1", 5);
    expect(waiting.deniedUntilMs("key1", 6)).toBe(HOUR_MS + 5);
    expect(waiting.deniedUntilMs("key1", HOUR_MS + 5)).toBeUndefined();
    expect(waiting.deniedUntilMs("key2", 6)).toBeUndefined();
  });
});

describe("wrong tokens", () => {
  it("have their source wait after 20, and everybody after 500", () => {
    const guesses = new TokenGuesses();
    for (let i = 0; i < 20; i++) guesses.count("10.0.0.1", 0);
    expect(() => guesses.check("10.0.0.1", 1)).toThrow(/from 10\.0\.0\.1.*10 minutes/);
    guesses.check("10.0.0.2", 1);
    for (let i = 0; i < 480; i++) guesses.count(`10.1.${i % 200}.${Math.floor(i / 200)}`, 1);
    expect(() => guesses.check("10.0.0.2", 2)).toThrow("too many wrong join tokens: ");
    guesses.check("10.0.0.1", 10 * 60_000);
    guesses.count("10.0.0.1", 10 * 60_000);
    guesses.check("10.0.0.1", 10 * 60_000 + 1);
  });
});

describe("autosign", () => {
  const autosign = new Autosign({
    names: ["web*", "DB1"],
    networks: ["10.1.0.0/16", "2001:db8::/32"],
  });

  it.each([
    ["web1", "10.1.2.3", true],
    ["db1", "::ffff:10.1.2.3", true],
    ["web1", "2001:db8::1", true],
    ["web1", "10.2.0.1", false],
    ["db2", "10.1.2.3", false],
    ["web1", "::1", false],
    ["web1", "?", false],
    ["web1", "10.1.2.3.example.org", false],
  ])("of %s from %s is %s", (name, from, allowed) => {
    expect(autosign.allows(name, from)).toBe(allowed);
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "x/8", "10.0.0.0/8 ", "0.0.0.0/0"])(
    "has no network %j",
    (text) => {
      expect(() => parseNetwork(text)).toThrow(/is not a network|no bound/);
    },
  );
});
