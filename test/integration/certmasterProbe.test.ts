import { join } from "node:path";
import { expect, it } from "vitest";
import type { Log } from "../../server/common/log";
import { Certmaster } from "../../server/pki/certmaster/certmaster";
import { Triggers } from "../../server/pki/certmaster/triggers";
import { CertmasterLab, enrol } from "../fixtures/certmasterLab";

it("does not tell of a host that joins, or of its own look at its addresses, as refused", async () => {
  const lab = await CertmasterLab.open();
  const told: string[] = [];
  const tell = (message: string, fields?: object): void => {
    told.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: tell, info: tell, warn: tell, error: tell };
  const certmaster = new Certmaster({
    authority: async () => lab.authority,
    existingAuthority: () => lab.authority,
    listen: { host: "0.0.0.0", port: 0 },
    triggers: new Triggers(join(lab.home, "triggers"), log),
    log,
    onEnrolled: (minion) => lab.onEnrolled(minion),
  });
  try {
    const { token } = await certmaster.createToken({});
    await enrol(token, "web1");
    await certmaster.close();
    expect(told.join("\n")).toContain("certmaster: closed");
    expect(told.filter((line) => line.includes("refused"))).toEqual([]);
  } finally {
    await certmaster.close();
    await lab.close();
  }
});
