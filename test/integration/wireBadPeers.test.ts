import { afterEach, describe, expect, it } from "vitest";
import { FuncError } from "../../server/common/errors";
import { verifyMinionPeer } from "../../server/pki/certificates/identity";
import { encodeResponse } from "../../server/wire/encode";
import type { CallOptions, WirePeer } from "../../server/wire/wireClient";
import { BadPeers } from "../fixtures/badPeers";
import { TestAuthority } from "../fixtures/testCertificates";
import { httpAnswer, WireHarness } from "../fixtures/wireHarness";

const harness = new WireHarness();
const bad = new BadPeers(harness);
const otherAuthority = new TestAuthority("another CA");
const sameName = new TestAuthority();
afterEach(() => harness.close());

const DAY_MS = 86_400_000;
const BIG = "x".repeat(20_000_000);
const minion = (options: Partial<Parameters<TestAuthority["issue"]>[0]> = {}) =>
  harness.authority.issue({ uri: "func:minion:web1", usage: "serverAuth", ...options });

interface Case {
  what: string;
  peer: () => Promise<WirePeer>;
  /** Small limits; the first that passes is the one that is told. */
  options?: CallOptions;
  params?: string[];
  reason: string;
  /** What the message says, besides who it is about. */
  says: RegExp[];
  tryNext: RegExp;
}

const NOTHING_RAN = /Nothing was run\.$/;
const cases: Case[] = [
  {
    what: "a name that is none",
    peer: async () => Promise.resolve({ name: "web1", address: "no-such-host.invalid", port: 1 }),
    reason: "name-not-found",
    says: [/the name "no-such-host\.invalid" was not found/, NOTHING_RAN],
    tryNext: /DNS.*IP address/,
  },
  {
    what: "a port nobody listens on",
    peer: () => bad.refusing(),
    reason: "refused",
    says: [/refused the connection: nothing listens on that port/, NOTHING_RAN],
    tryNext: /Start funcd/,
  },
  {
    what: "a black hole",
    peer: () => bad.blackHole(),
    options: { connectTimeoutMs: 700 },
    reason: "unreachable",
    says: [/nothing answered the attempt to connect within 0\.7 s/, NOTHING_RAN],
    tryNext: /whether the host is up, and at firewalls/,
  },
  {
    what: "a frozen process behind a system that is alive",
    peer: () => bad.silent(),
    options: { connectTimeoutMs: 700 },
    reason: "timed-out",
    says: [/accepted the connection.*TLS handshake within 0\.7 s/, NOTHING_RAN],
    tryNext: /frozen or overloaded/,
  },
  {
    what: "another protocol",
    peer: () => bad.speaking("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    reason: "tls",
    says: [/does not speak TLS/],
    tryNext: /address and port/,
  },
  {
    what: "one that hangs up",
    peer: () => bad.hangingUp(),
    reason: "tls",
    says: [/closed the connection during the TLS handshake/],
    tryNext: /log of funcd/,
  },
  {
    what: "an old TLS",
    peer: () =>
      bad.showing({}, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }),
    reason: "tls",
    says: [/no TLS version from 1\.2 on/],
    tryNext: /OpenSSL/,
  },
  {
    what: "no common cipher",
    peer: () => bad.showing({}, { maxVersion: "TLSv1.2", ciphers: "PSK" }),
    reason: "tls",
    says: [/no cipher or key type in common/],
    tryNext: /OpenSSL/,
  },
  {
    what: "a certificate of another CA",
    peer: () => bad.showing(otherAuthority.issue({ uri: "func:minion:web1", usage: "serverAuth" })),
    reason: "tls",
    says: [/its certificate comes from another CA/],
    tryNext: /enrol it again/,
  },
  {
    what: "a certificate of another CA with the same name",
    peer: () => bad.showing(sameName.issue({ uri: "func:minion:web1", usage: "serverAuth" })),
    reason: "tls",
    says: [/comes from another CA, though one of the same name/],
    tryNext: /enrol it again/,
  },
  {
    what: "an expired certificate",
    peer: () => bad.showing(minion({ validForMs: -DAY_MS })),
    reason: "tls",
    says: [/its certificate has expired/],
    tryNext: /clocks of both hosts/,
  },
  {
    what: "a certificate that is not valid yet",
    peer: () => bad.showing(minion({ validInMs: DAY_MS / 2 })),
    reason: "tls",
    says: [/its certificate is not valid yet/],
    tryNext: /clocks of both hosts/,
  },
  {
    what: "a client's certificate",
    peer: () => bad.showing(minion({ usage: "clientAuth" })),
    reason: "tls",
    says: [/not one of a minion: it is not meant for a server/],
    tryNext: /address and port/,
  },
  {
    what: "another role",
    peer: () => bad.showing(minion({ uri: "func:overlord:web1" })),
    reason: "wrong-identity",
    says: [/does not present the certificate of a minion/],
    tryNext: /address and port/,
  },
  {
    what: "another minion",
    peer: () => bad.showing(minion({ uri: "func:minion:db7" })),
    reason: "wrong-identity",
    says: [/is db7, another minion/],
    tryNext: /Correct the address of web1/,
  },
  {
    what: "another key",
    peer: async () => ({ ...(await bad.showing(minion())), keyFingerprint: "00".repeat(32) }),
    reason: "wrong-identity",
    says: [/has another key than the one it enrolled with/],
    tryNext: /enrol it again.*find out who answers/,
  },
  {
    what: "one that belongs to another overlord",
    peer: () => harness.serve({ ca: otherAuthority.ca }),
    reason: "tls",
    says: [/refused our certificate \(.*\)/, NOTHING_RAN],
    tryNext: /enrolled again/,
  },
  {
    what: "one that does not read",
    peer: () => bad.deaf(),
    options: { deliveryTimeoutMs: 700 },
    params: [BIG],
    reason: "timed-out",
    says: [/did not take the whole request: \d+ of 200\d+ bytes in \d/, NOTHING_RAN],
    tryNext: /line to that host.*delivery_timeout/,
  },
  {
    what: "one that does not answer",
    peer: () => bad.mute(),
    options: { timeoutMs: 700 },
    reason: "timed-out",
    says: [/took the request, but did not answer within 0\.7 s; the call may have run/],
    tryNext: /more time.*async/,
  },
  {
    what: "one that stops in the middle of its answer",
    peer: () => bad.stalling(),
    options: { timeoutMs: 1_500 },
    reason: "timed-out",
    says: [/stopped in the middle of its answer: nothing came for 1\.5 s after 90 (of \d+ )?bytes/],
    tryNext: /line to that host/,
  },
  {
    what: "one that answers too slowly",
    peer: () => bad.trickling(50),
    options: { timeoutMs: 1_500 },
    reason: "timed-out",
    says: [/answers too slowly: \d+ (of \d+ )?bytes in 1\.[567]\d? s/, /The call has run/],
    tryNext: /line to that host/,
  },
  {
    what: "one that closes instead of answering",
    peer: () => bad.answeringWith(undefined),
    reason: "broken-answer",
    says: [/closed the connection without an answer/, /may have run/],
    tryNext: /log of funcd/,
  },
  {
    what: "half an answer",
    peer: () => bad.answeringWith(httpAnswer(encodeResponse(1)).subarray(0, -9)),
    reason: "broken-answer",
    says: [/closed the connection in the middle of its answer/, /may have run/],
    tryNext: /log of funcd/,
  },
  {
    what: "an answer that is no HTTP",
    peer: () => bad.answeringWith("+OK POP3 ready\r\n"),
    reason: "broken-answer",
    says: [/did not answer with HTTP/],
    tryNext: /whether it is funcd/,
  },
  {
    what: "an answer that is no XML-RPC",
    peer: () => bad.answeringWith(httpAnswer("<html>hello</html>")),
    reason: "broken-answer",
    says: [/gave an answer that cannot be read: .*methodResponse/],
    tryNext: /whether it is funcd/,
  },
  {
    what: "an answer that is too large",
    peer: () => bad.answeringWith("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
    reason: "too-large",
    says: [/the answer is larger than \d+ bytes/, /The call has run/],
    tryNext: /less at a time/,
  },
];

describe("each failure is named after what it was:", () => {
  it.each(cases)("$what", async ({ peer, options, params = [], reason, says, tryNext }) => {
    const at = await peer();
    const wire = harness.client({ verifyPeer: verifyMinionPeer });
    const error: unknown = await wire
      .call(at, "a.b", params, { timeoutMs: 20_000, ...options })
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof FuncError)) throw new Error(`not a FuncError: ${String(error)}`);
    expect(error.message).toContain("web1");
    expect(error.message).toContain(`${at.address}:${at.port}`);
    for (const phrase of says) expect(error.message).toMatch(phrase);
    expect(error.reason).toBe(reason);
    expect(error.nextStep).toMatch(tryNext);
  });
});
