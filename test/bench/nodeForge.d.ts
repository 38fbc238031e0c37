// As much of the whole node-forge as the comparison with it needs; the product loads its ASN.1 part only.
declare module "node-forge" {
  namespace forge {
    interface Attributes {
      attributes: unknown[];
    }
    interface Request {
      publicKey: unknown;
      subject: Attributes;
      verify(): boolean;
    }
    interface Certificate {
      publicKey: unknown;
      serialNumber: string;
      validity: { notBefore: Date; notAfter: Date };
      setSubject(attributes: unknown[]): void;
      setIssuer(attributes: unknown[]): void;
      setExtensions(extensions: object[]): void;
      sign(key: unknown, digest: unknown): void;
    }
    const md: { sha256: { create(): unknown } };
    const pki: {
      certificationRequestFromPem(pem: string): Request;
      createCertificate(): Certificate;
      certificateToPem(certificate: Certificate): string;
      privateKeyFromPem(pem: string): unknown;
    };
  }
  export = forge;
}
