import { expect, it } from "vitest";
import { refusedCertificate, tlsError } from "../../server/wire/tlsErrors";
import { connectError } from "../../server/wire/wireErrors";

const peer = { name: "web1", address: "::1", port: 51234 };
const coded = (code: string, message = "no words") => Object.assign(new Error(message), { code });

it.each([
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", /refused our certificate \(it trusts another CA\)/],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", /\(by its clock it has expired\)/],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /\(it was shown none\)/],
  ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", /it ended the TLS handshake: INTERNAL_ERROR/],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", /no cipher or key type in common/],
  ["ERR_SSL_SOMETHING_NEW", /no trusted connection, no words/],
])("%s", (code, message) => {
  const error = tlsError(coded(code), peer);
  expect(error.message).toMatch(/^web1 \(\[::1\]:51234\)/);
  expect(error.message).toMatch(message);
  expect(error).toMatchObject({ reason: "tls", nextStep: expect.any(String) as string });
});

it("says what current TLS finds too weak", () => {
  const error = tlsError(coded("UNSPECIFIED", "CA signature digest algorithm too weak"), peer);
  expect(error.message).toContain("signed with SHA-1 or MD5, or its key is too short");
});

it.each([
  "by its clock it has expired",
  "client certificate not accepted: CERT_HAS_EXPIRED",
  "client certificate not accepted: CERT_NOT_YET_VALID",
])("a refusal for its date (%s) speaks of the clocks", (why) => {
  expect(refusedCertificate(peer, why).nextStep).toMatch(/clock: here it is \d{4}-\d\d-\d\dT/);
  expect(refusedCertificate(peer, "revoked").nextStep).not.toContain("clock");
});

it.each([
  ["EAI_AGAIN", "name-not-found", /DNS does not answer/],
  ["EHOSTUNREACH", "unreachable", /no route to that host/],
  ["ENETUNREACH", "unreachable", /no route to that network/],
  ["EMFILE", "unavailable", /this machine has no more file descriptors/],
  ["EPERM", "unreachable", /this machine's own firewall/],
  ["EWHATEVER", "unreachable", /could not be reached: no words/],
])("%s before there is a connection", (code, reason, message) => {
  const error = connectError(coded(code), peer, false);
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/Nothing was run\.$/);
  expect(error).toMatchObject({ reason, nextStep: expect.any(String) as string });
});

it("tells the most of several addresses", () => {
  const both = new AggregateError([coded("ENETUNREACH"), coded("ECONNREFUSED")]);
  expect(connectError(both, peer, false).reason).toBe("refused");
});
