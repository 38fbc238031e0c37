/** An XML-RPC fault: thrown by a handler to answer with one, and by the client where a peer did. */
export class RpcFault extends Error {
  override readonly name = "RpcFault";
  constructor(
    readonly code: number,
    readonly faultString: string,
  ) {
    super(`Fault ${code}: ${faultString}`);
  }
}
