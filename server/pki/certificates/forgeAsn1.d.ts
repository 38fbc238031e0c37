// Only the ASN.1 part of node-forge is loaded: the whole library takes 35 ms and brings its own cryptography.
declare module "node-forge/lib/asn1" {
  namespace asn1 {
    interface Asn1 {
      tagClass: number;
      type: number;
      constructed: boolean;
      /** Nested values, or the content's bytes as a latin1 string. */
      value: string | Asn1[];
    }

    function create(
      tagClass: number,
      type: number,
      constructed: boolean,
      value: string | Asn1[],
    ): Asn1;
    /** Throws Error on anything malformed; nests at most 256 levels deep. */
    function fromDer(bytes: string, options: { strict: boolean; decodeBitStrings: boolean }): Asn1;
    function toDer(value: Asn1): { getBytes(): string };
    function oidToDer(oid: string): { getBytes(): string };
    function derToOid(bytes: string): string;
  }
  export = asn1;
}
