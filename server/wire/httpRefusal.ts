/** A request that is refused below XML-RPC: by a bare HTTP status. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
