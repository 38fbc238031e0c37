import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sshHosts } from "../../server/client/sshHosts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ssh-"));
  mkdirSync(join(home, ".ssh", "conf.d"), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(file: string, text: string): void {
  writeFileSync(join(home, ".ssh", file), text);
}

it("names the hosts of the configuration and of what it includes", async () => {
  write(
    "config",
    [
      "# Host nothing",
      "Include conf.d/*.conf conf.d/.hidden",
      "Include ~/.ssh/more # the others",
      'Host web1 "web2" web* !web3 # those',
      "  HostName 10.0.0.1",
      "Host=db",
      "\thostname = db.example.org",
      "Match host x",
      "  HostName never",
      "Host web1",
      "  HostName 10.0.0.9",
      "Host *",
      "  User root",
    ].join("\n"),
  );
  write("conf.d/b.conf", "Host b\nInclude conf.d/a.conf\n");
  write("conf.d/a.conf", "Host a\n");
  write("conf.d/ignored.txt", "Host ignored\n");
  write("more", "Host more\n  HostName more.example.org\nInclude more\n");
  expect(await sshHosts(home)).toEqual([
    { name: "a" },
    { name: "b" },
    { name: "more", address: "more.example.org" },
    { name: "web1", address: "10.0.0.1" },
    { name: "web2", address: "10.0.0.1" },
    { name: "db", address: "db.example.org" },
  ]);
});

it("leaves out what cannot be read, and never waits for it", async () => {
  expect(await sshHosts(home)).toEqual([]);
  execFileSync("mkfifo", [join(home, ".ssh", "pipe")]);
  write("config", "Include pipe conf.d missing\nHost web1\n");
  expect(await sshHosts(home)).toEqual([{ name: "web1" }]);
  write("config", "Host web1\n".padEnd(1_100_000, "#"));
  expect(await sshHosts(home)).toEqual([]);
});
