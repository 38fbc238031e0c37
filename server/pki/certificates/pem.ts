/** `der` in PEM's armour, with a line feed at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The bytes of the first block with one of these labels, or undefined where there is none. */
export function fromPem(labels: readonly string[], pem: string): Buffer | undefined {
  for (const label of labels) {
    const begin = `-----BEGIN ${label}-----`;
    const start = pem.indexOf(begin);
    const end = pem.indexOf(`-----END ${label}-----`, start);
    if (start < 0 || end < 0) continue;
    const base64 = pem.slice(start + begin.length, end).replace(/\s/g, "");
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return Buffer.from(base64, "base64");
  }
  return undefined;
}
