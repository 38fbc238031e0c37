/**
 * An XML-RPC value as JSON. What JSON has no form for travels in an object with exactly one key:
 * `{"$base64": "aGk="}`, `{"$dateTime": "20260131T12:00:00"}`, `{"$int": "9007199254740993"}` (beyond 2^53),
 * `{"$double": 3}` (a double without a fraction). A struct that itself has one key starting with "$"
 * travels as `{"$struct": {...}}`. `{"$output": {...}}` stands for an output that is read by range (outputs.ts).
 */
export type JsonValue =
  null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
