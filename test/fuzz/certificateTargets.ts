import { X509Certificate } from "node:crypto";
import { TestAuthority } from "../fixtures/testCertificates";
import { createCsr, readCsr } from "../../server/pki/certificates/csr";
import { identityOf, isCertmaster } from "../../server/pki/certificates/identity";
import type { FuzzTarget } from "./fuzzTarget";
import { verdictOf } from "./fuzzTarget";
import { mutate } from "./mutation";

const DER_WORDS = ["\u0030\u0003", "\u0006\u0001", "\u0000", "func:minion:a", "func:overlord:b", "\u0030\u0080", "\u007f", "\u0002\u0001\u0001"] as const; // prettier-ignore

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString("base64")}\n-----END ${label}-----\n`;
}

function derOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

/** Certificates and requests for them, damaged in their DER and in their PEM. */
export function certificateTargets(): readonly FuzzTarget[] {
  const { key, certificate } = new TestAuthority().issue({
    uri: "func:minion:web1",
    usage: "serverAuth",
  });
  const request = createCsr("web1", key);
  return [
    {
      name: "certificate requests, DER",
      make: (random) => mutate(random, derOf(request), DER_WORDS),
      check: (input) => {
        verdictOf(() => readCsr(pem("CERTIFICATE REQUEST", input)));
      },
    },
    {
      name: "certificate requests, PEM",
      make: (random) =>
        mutate(random, Buffer.from(request), ["-----", "\n", "=", "BEGIN", "CERTIFICATE"]),
      check: (input) => {
        verdictOf(() => readCsr(input.toString("latin1")));
      },
    },
    {
      name: "certificates",
      make: (random) => mutate(random, derOf(certificate), DER_WORDS),
      check: (input) => {
        let read: X509Certificate;
        try {
          read = new X509Certificate(input);
        } catch {
          return; // OpenSSL does not take it: TLS would not either
        }
        verdictOf(() => [identityOf(read), isCertmaster(read)]);
      },
    },
  ];
}
