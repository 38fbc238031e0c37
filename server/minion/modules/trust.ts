import { asString } from "../argumentCheck";
import { FUNC_EXCEPTION, MethodError } from "../methodError";
import type { CallContext, MinionModule } from "../minionModule";
import type { Renewal } from "../renewal";

/** What the module works with. */
export interface TrustParts {
  renewal: Renewal;
}

/** How the overlord keeps this minion's certificate and its knowledge of others' up to date. */
export function trustModule({ renewal }: TrustParts): MinionModule {
  return {
    name: "trust",
    version: "0.0.1",
    description: "Keeps this minion's certificate up to date; for the overlord itself",
    methods: {
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
    FUNC_EXCEPTION,
    `${caller.role} ${caller.name} may not do this: only the overlord may`,
  );
}
