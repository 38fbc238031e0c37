import { children, content, oid, oidText, sequence, set, TAG, utf8String, type Der } from "./der";

const COMMON_NAME = "2.5.4.3";
/** X.509 bounds a common name (ub-common-name). */
const MAX_COMMON_NAME = 64;

/** The common name for `name`: it is for people only, the whole name stands in the alternative names. */
export function commonName(name: string): string {
  return Array.from(name).slice(0, MAX_COMMON_NAME).join("");
}

/** A distinguished name of nothing but a common name. */
export function distinguishedName(name: string): Der {
  return sequence(...relativeNames(name));
}

/** What stands inside of `distinguishedName`. */
export function relativeNames(name: string): Der[] {
  return [set(sequence(oid(COMMON_NAME), utf8String(commonName(name))))];
}

/** The common names in a distinguished name; throws Error where it is malformed. */
export function commonNamesIn(name: Der | undefined): string[] {
  return children(name)
    .flatMap((relative) => children(relative, TAG.set))
    .map((attribute) => children(attribute))
    .filter(([type]) => oidText(type) === COMMON_NAME)
    .map(([, value]) => {
      if (value?.type !== TAG.utf8String && value?.type !== TAG.printableString) {
        throw new Error("a common name is neither a UTF8String nor a PrintableString");
      }
      return content(value, value.type).toString("utf8");
    });
}
