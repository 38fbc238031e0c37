import { asString } from "../argumentCheck";
import type { Authorities } from "../authorities";
import { ACCESS_DENIED, MethodError } from "../methodError";
import type { CallContext, MinionModule } from "../minionModule";
import type { Originators } from "../originators";
import type { Renewal } from "../renewal";
import type { Revocations } from "../revocations";

/** What the module works with. */
export interface TrustParts {
  renewal: Renewal;
  revocations: Revocations;
  authorities: Authorities;
  originators: Originators;
}

/** How the overlord keeps this minion's certificate and its knowledge of others' up to date. */
export function trustModule(parts: TrustParts): MinionModule {
  const { renewal, revocations, authorities, originators } = parts;
  return {
    name: "trust",
    version: "0.0.1",
    description: "Keeps up to date who this minion is and trusts; for the overlord itself",
    methods: {
      status: {
        description:
          "Answers the numbers of the revocation list and of the list of CAs here, and what is wrong",
        args: [],
        risk: "read",
        handler: async (context) => {
          overlordOnly(context);
          const { number, issuedAtMs, revoked, digest, kept, damage } = revocations.status();
          const issued = issuedAtMs === undefined ? "" : new Date(issuedAtMs).toISOString();
          const trusted = await authorities.number();
          const answer = { number, issued, revoked, digest, kept, damage: damage ?? "" };
          return { ...answer, authorities: trusted };
        },
      },
      revocations: {
        description: "Answers the signed revocation list of this minion, or an empty string",
        args: [],
        risk: "read",
        handler: (context) => {
          overlordOnly(context);
          return revocations.document();
        },
      },
      set_revocations: {
        description: "Takes a newer revocation list that the CA has signed; answers its number",
        args: [
          {
            name: "document",
            type: "string",
            optional: false,
            description: "The signed list, as the overlord makes it",
          },
        ],
        risk: "change",
        handler: (context, document) => {
          overlordOnly(context);
          return revocations.set(asString(document));
        },
      },
      set_authorities: {
        description:
          "Takes a newer list of CAs to trust, signed by one of them; answers its number",
        args: [
          {
            name: "document",
            type: "string",
            optional: false,
            description: "The signed list, as the overlord makes it",
          },
        ],
        risk: "change",
        handler: (context, document) => {
          overlordOnly(context);
          return authorities.set(asString(document));
        },
      },
      add_originator: {
        description:
          "Takes calls that this overlord has signed, from others, from now on; answers the key's fingerprint",
        args: [
          {
            name: "name",
            type: "string",
            optional: false,
            description: "The name of the overlord whose calls others bring",
          },
          {
            name: "public_key",
            type: "string",
            optional: false,
            description: "Its public key: base64 of the DER (SPKI)",
          },
        ],
        risk: "change",
        handler: (context, name, publicKey) => {
          overlordOnly(context);
          return originators.add(asString(name), asString(publicKey), context.caller.name);
        },
      },
      renewal_request: {
        description:
          "Makes a new key and answers a certificate request for it, signed by the present key",
        args: [],
        risk: "change",
        handler: (context) => {
          overlordOnly(context);
          return renewal.request();
        },
      },
      install_certificate: {
        description: "Goes over to the new key with its certificate; answers the key's fingerprint",
        args: [
          {
            name: "certificate",
            type: "string",
            optional: false,
            description: "The certificate for the new key, PEM",
          },
          {
            name: "ca",
            type: "string",
            optional: false,
            description: "The certificate of the CA that issued it, PEM",
          },
        ],
        risk: "change",
        handler: (context, certificate, ca) => {
          overlordOnly(context);
          return renewal.install(asString(certificate), asString(ca));
        },
      },
    },
  };
}

/** An operator may call methods, but who this minion is and trusts is the overlord's to say. */
function overlordOnly({ caller }: CallContext): void {
  if (caller.role === "overlord") return;
  throw new MethodError(
    ACCESS_DENIED,
    `${caller.role} ${caller.name} may not do this: only the overlord may`,
  );
}
