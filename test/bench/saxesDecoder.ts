import { SaxesParser } from "saxes";
import type { XmlRpcStruct, XmlRpcValue } from "../../server/wire/value";

/**
 * Reads a `methodResponse` with saxes, in the way that Python's Unmarshaller works: the fastest that one
 * would write on top of a general parser. For comparison, it knows only the types that the documents have.
 */
export function decodeWithSaxes(bytes: Buffer): XmlRpcValue {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const stack: XmlRpcValue[] = [];
  const marks: number[] = [];
  let text = "";
  let bare = false;
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("text", (piece) => {
    text += piece;
  });
  parser.on("opentag", ({ name }) => {
    if (name === "array" || name === "struct") marks.push(stack.length);
    text = "";
    bare = name === "value";
  });
  parser.on("closetag", ({ name }) => {
    switch (name) {
      case "value":
        if (bare) stack.push(text);
        break;
      case "string":
      case "name":
        stack.push(text);
        break;
      case "int":
      case "i4":
        stack.push(Number(text));
        break;
      case "array":
        stack.push(stack.splice(marks.pop() ?? 0));
        break;
      case "struct":
        stack.push(structOf(stack.splice(marks.pop() ?? 0)));
        break;
    }
    bare = false;
  });
  parser.write(bytes.toString("utf8")).close();
  return stack[0] ?? null;
}

function structOf(flat: XmlRpcValue[]): XmlRpcStruct {
  const struct = Object.create(null) as XmlRpcStruct;
  for (let at = 0; at < flat.length; at += 2) struct[flat[at] as string] = flat[at + 1] ?? null;
  return struct;
}
