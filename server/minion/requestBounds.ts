import { MethodError, VALUE_ERROR } from "./methodError";

/** What an overlord takes from one client at once is 64 MiB, the frame included. */
const MAX_BYTES = 64 * 1024 * 1024 - 4_096;
/** How much deeper than here a request is when it is written. */
const SPARE_DEPTH = 200;

/**
 * Throws MethodError for a request that the overlord of this host would not read: it would end the connection, which
 * all who ask by way of this host share.
 */
export function checkRequest(method: string, params: object): void {
  let deeper: object = params;
  for (let depth = 0; depth < SPARE_DEPTH; depth++) deeper = [deeper];
  let bytes: number;
  try {
    bytes = Buffer.byteLength(JSON.stringify(deeper));
  } catch {
    throw new MethodError(VALUE_ERROR, `what was sent with ${method} nests too deep`);
  }
  if (bytes <= MAX_BYTES) return;
  throw new MethodError(
    VALUE_ERROR,
    `${method} has ${bytes} bytes, and the overlord of this host takes ${MAX_BYTES} at most. Call fewer hosts at once (--batch), or send less with the call.`,
  );
}
