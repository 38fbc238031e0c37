import { hash } from "node:crypto";

/**
 * hex SHA-256 of a list as it stands in a JSON file beside its own checksum, so that damage which leaves it
 * readable is noticed. No secret: whoever can write the file can write this too.
 */
export function checksumOf(list: readonly unknown[]): string {
  return checksumOfLines(list.map((entry) => JSON.stringify(entry)));
}

/** As `checksumOf`, of a list whose entries are JSON already. */
export function checksumOfLines(lines: readonly string[]): string {
  return hash("sha256", `[${lines.join(",")}]`, "hex");
}
