import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseSshHosts, sshHosts } from "../../extension/sshHosts";

it("finds the hosts that an SSH configuration names", () => {
  const text = `
# Host commented
Host *
  User root
Host web1 web2 !web3 web-?
  HostName 10.0.0.1
  HostName 10.0.0.2
Host=db1
  hostname = db1.example.org # the database
Match host backup
  HostName elsewhere
host "quoted"
`;
  expect(parseSshHosts(text)).toEqual([
    { name: "web1", address: "10.0.0.1" },
    { name: "web2", address: "10.0.0.1" },
    { name: "db1", address: "db1.example.org" },
    { name: "quoted" },
  ]);
});

it("follows what the configuration includes, once", async () => {
  const home = mkdtempSync(join(tmpdir(), "ssh-"));
  const write = (file: string, text: string): void => writeFileSync(join(home, ".ssh", file), text);
  try {
    expect(await sshHosts(home)).toEqual([]);
    mkdirSync(join(home, ".ssh", "config.d"), { recursive: true });
    write("config", "Include config.d/*.conf ~/.ssh/more missing\nHost web1\n");
    write("more", "include config\nHost more1\n");
    write("config.d/a.conf", "Host a1 web1\n  HostName 10.0.0.3\n");
    write("config.d/b.other", "Host b1\n");
    expect((await sshHosts(home)).map(({ name }) => name)).toEqual(["web1", "a1", "more1"]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
