import type { X509Certificate } from "node:crypto";
import type { XmlRpcValue } from "./value";

/** Who is at the other end of a connection. */
export interface RpcConnection {
  /** The client's certificate, verified against the CA; undefined only with `clientCertificate: "none"`. */
  certificate?: X509Certificate;
  remoteAddress: string;
  /** True where the client negotiated func/1: one of our own. */
  native: boolean;
}

export interface RpcRequest {
  method: string;
  params: XmlRpcValue[];
  connection: RpcConnection;
  /** The overlord's id of this attempt (`Func-Call`), from native clients only. */
  callId?: string;
  /** Aborted where the connection closes before the answer has been sent. */
  signal: AbortSignal;
}
