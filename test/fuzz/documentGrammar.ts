import type { Random } from "./random";

const TEXTS = ["", " ", "a", "plain text", "é", "😀", "\n", "\r\n", "]]", "&lt;", "&amp;lt;", "&#65;", "&#x1F600;", "&#13;", "<![CDATA[<b>&]]>", "<!-- c -->", "<![CDATA[]]>", "tail\u0085\u2028"] as const; // prettier-ignore
const SCALARS = [
  "<int>0</int>", "<int>-2147483648</int>", "<i4> 7 </i4>", "<i8>9223372036854775807</i8>", "<ex:i8>-1</ex:i8>", "<boolean>1</boolean>", "<nil/>", "<ex:nil></ex:nil>",
  "<double>1.5e3</double>", "<double>-0.0</double>", "<base64>aGk=</base64>", "<base64/>", "<dateTime.iso8601>20260131T12:00:00</dateTime.iso8601>", "<string/>",
] as const; // prettier-ignore
const SPACES = ["", "", "", " ", "\n", "\t\r\n", "<!-- x -->"] as const;
const DECLARATIONS = ["", "", "<?xml version='1.0'?>", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff", '<?xml version="1.0" encoding="iso-8859-1"?>', "<?xml version='1.0' encoding='us-ascii' standalone='yes' ?>"] as const; // prettier-ignore
const NAMES = ["a", "name", "__proto__", "constructor", "toString", "$base64", "", "é"] as const;

/** Words that mean something to a reader of XML-RPC. */
export const XML_WORDS = [
  "<", ">", "/", "&", ";", "]]>", "--", "<!--", "-->", "<![CDATA[", "<!DOCTYPE a>", "&x;", "&#0;", "&#xD800;", "&#x110000;", "&#;", "<?pi?>",
  "<value>", "</value>", "<value/>", "<array><data>", "</data></array>", "<struct>", "<member>", "<name>", "</name>", "<nil/>", "<string>", "</string>",
  "<base64>", "<params>", "<param>", "<fault>", " a='b'", " xmlns:ex='u>v'", "\u0000", "\u000b", "\ufffe", "\ufeff", "é", "😀", "methodCall", "methodResponse",
] as const; // prettier-ignore

/** An XML-RPC document that is right, in one of the many ways to write it. */
export function makeDocument(random: Random, root: "methodCall" | "methodResponse"): string {
  const space = (): string => random.pick(SPACES);
  const value = (depth: number): string => {
    const kind = random.below(depth > 4 ? 3 : 6);
    if (kind === 0) return `<value>${text(random)}</value>`;
    if (kind === 1) return `<value>${space()}<string>${text(random)}</string>${space()}</value>`;
    if (kind === 2) return `<value>${space()}${random.pick(SCALARS)}</value>`;
    if (kind < 5) {
      const items = random.list(4, () => value(depth + 1) + space());
      return `<value><array>${space()}<data>${items.join("")}</data>${space()}</array></value>`;
    }
    const members = random.list(
      4,
      () => `<member>${space()}<name>${random.pick(NAMES)}</name>${value(depth + 1)}</member>`,
    );
    return `<value><struct>${space()}${members.join(space())}</struct></value>`;
  };
  const param = (): string => `<param>${space()}${value(1)}${space()}</param>`;
  const start = random.pick(DECLARATIONS);
  if (root === "methodCall") {
    const params = random.list(3, param).join(space());
    return `${start}<methodCall>${space()}<methodName>test.echo</methodName><params>${params}</params></methodCall>${space()}`;
  }
  if (random.chance(0.1)) {
    const fault = `<struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value>${text(random)}</value></member></struct>`;
    return `${start}<methodResponse><fault><value>${fault}</value></fault></methodResponse>`;
  }
  return `${start}<methodResponse${random.chance(0.1) ? " xmlns:ex='u'" : ""}>${space()}<params>${param()}</params></methodResponse>`;
}

function text(random: Random): string {
  return Array.from({ length: random.below(4) }, () => random.pick(TEXTS)).join("");
}
