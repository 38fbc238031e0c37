import { randomBytes } from "node:crypto";

/** A new id, `<epoch seconds>.<6 digits>-<8 hex>-minion`: the original's form made unique. */
export function newJobId(): string {
  const micros = Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = String(micros % 1_000_000).padStart(6, "0");
  return `${seconds}.${fraction}-${randomBytes(4).toString("hex")}-minion`;
}
