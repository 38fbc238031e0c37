import { FuncError } from "../../server/common/errors";

export interface Endpoint {
  address: string;
  port: number;
}

const FORM = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/;

/** "host:51234" or "[::1]:51234". Throws FuncError "bad-argument". */
export function parseAddress(text: string): Endpoint {
  const groups = FORM.exec(text.trim())?.groups;
  const address = groups?.["ipv6"] ?? groups?.["host"];
  const port = Number(groups?.["port"]);
  if (address === undefined || !(port >= 1 && port <= 65_535)) {
    throw new FuncError(
      "bad-argument",
      "An address is HOST:PORT, such as web1.example.org:51234, 10.0.0.7:51234 or [::1]:51234.",
    );
  }
  return { address, port };
}

/** The form that parseAddress reads. */
export function formatAddress({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
