import { describe, expect, it } from "vitest";
import {
  parseDestination,
  parseRemotePath,
  parseSshOption,
} from "../../server/cli/hosts/destination";
import { chooseName } from "../../server/cli/hosts/hostName";
import { planPlace } from "../../server/cli/hosts/hostPlan";
import { chooseNode, readProbe, type HostProbe } from "../../server/cli/hosts/hostProbe";
import { sshFailure } from "../../server/cli/hosts/sshFailure";
import { parseCommandLine } from "../../server/cli/parse";

const badArgument = expect.objectContaining({ reason: "bad-argument" }) as Error;

describe("a host to log in to", () => {
  it.each(["web1", "root@web1", "root@10.0.0.1", "ada@corp@web1.example.org", "fe80::1%eth0"])(
    "may be %s",
    (text) => {
      expect(parseDestination(text).text).toBe(text);
    },
  );

  it.each([
    "-oProxyCommand=x",
    "root@-oProxyCommand=x",
    "a b",
    "a;b",
    "$(x)",
    "a'b",
    "",
    "@web1",
    "-l@web1",
    "web1\nweb2",
    "ssh://web1",
  ])("may not be %j", (text) => {
    expect(() => parseDestination(text)).toThrow(badArgument);
  });

  it.each(["/", "var", "/var/../etc", "/var/lib/a b", "/var/'x", "/x/%n", "/x/.", "//x"])(
    "has no folder %j",
    (text) => {
      expect(() => parseRemotePath("--remote-home", text)).toThrow(badArgument);
    },
  );

  it("takes options as ssh does, one line each", () => {
    expect(parseSshOption("ProxyJump=a,b")).toBe("ProxyJump=a,b");
    for (const text of ["", "Port", "-F", "Port=1\nUser=x", "=x"]) {
      expect(() => parseSshOption(text)).toThrow(badArgument);
    }
  });
});

describe("what to type by hand after ssh failed", () => {
  const settings = { destination: parseDestination("root@web1"), options: [] };

  it("has the options that were given", () => {
    const options = ["Port=2222", "ProxyCommand ssh -W %h:%p it's"];
    const given = { ...settings, options, identity: "/home/a b/key" };
    const byHand = `ssh -o Port=2222 -o 'ProxyCommand ssh -W %h:%p it'\\''s' -i '/home/a b/key' root@web1`;
    for (const words of [
      "Host key verification failed.",
      "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!",
      "something else",
    ]) {
      expect(sshFailure(given, words).nextStep).toContain(byHand);
    }
    expect(sshFailure(settings, "Host key verification failed.").nextStep).toContain(
      "(ssh root@web1)",
    );
  });
});

const PROBE: HostProbe = {
  user: "ada",
  isRoot: false,
  homeFolder: "/home/ada",
  hostname: "ip-10-0-0-1",
  sudo: "yes",
  systemd: true,
  userSystemd: true,
  nodes: [],
};
const WANTED = { asUser: false, service: true };

describe("where funcd goes", () => {
  it("is the system's place for root, and by sudo", () => {
    const place = {
      asRoot: true,
      service: "system",
      home: "/var/lib/funcd",
      unitFile: "/etc/systemd/system/funcd.service",
    };
    expect(planPlace(PROBE, "web1", WANTED)).toMatchObject({ ...place, sudo: true });
    const root = { ...PROBE, isRoot: true, sudo: "none" as const };
    expect(planPlace(root, "web1", WANTED)).toMatchObject({ ...place, sudo: false });
  });

  it("is the user's place where that was asked for, and only then", () => {
    const probe = { ...PROBE, sudo: "password" as const };
    expect(() => planPlace(probe, "ada@web1", WANTED)).toThrow(/sudo asks ada for a password/);
    expect(planPlace(probe, "web1", { ...WANTED, asUser: true })).toMatchObject({
      asRoot: false,
      sudo: false,
      service: "user",
      home: "/home/ada/.local/share/funcd",
      unitFile: "/home/ada/.config/systemd/user/funcd.service",
      scope: "--user",
    });
  });

  it("is a process of its own without systemd, or where no service is wanted", () => {
    const without = { ...PROBE, systemd: false };
    expect(planPlace(without, "web1", WANTED).service).toBe("detached");
    expect(planPlace(PROBE, "web1", { ...WANTED, service: false }).service).toBe("detached");
  });

  it("has a service of its own for each folder", () => {
    const names = ["/srv/a", "/srv/b"].map(
      (home) => planPlace(PROBE, "web1", { ...WANTED, home }).serviceName,
    );
    expect(new Set([...names, "funcd.service"]).size).toBe(3);
  });
});

describe("a minion without a given name", () => {
  const named = (typed: string, hostname: string, known?: string): string =>
    chooseName({}, parseDestination(typed), { hostname }, known);

  it("is called as it was typed or added before, never as the host calls itself", () => {
    expect(named("Web1", "ip-10-0-0-1")).toBe("web1");
    expect(named("10.0.0.1", "box", "web7")).toBe("web7");
    expect(() => named("10.0.0.1", "box")).toThrow(badArgument);
    expect(() => named("localhost", "a b")).toThrow(badArgument);
  });
});

describe("what a host reports", () => {
  const report = (lines: Record<string, string[]>) => new Map(Object.entries(lines));

  it("is taken for what it says, and nothing else", () => {
    const probe = readProbe(
      report({
        system: ["Linux"],
        uid: ["0"],
        user: ["root"],
        home: ["/root; rm -rf /"],
        hostname: ["web1"],
        node: ["0 20.1.0 /usr/bin/node", "1000 22.0.0 $(reboot)", "x", "0 18.2.0 /opt/node"],
      }),
      "web1",
    );
    expect(probe.homeFolder).toBeUndefined();
    expect(probe.nodes.map(({ path }) => path)).toEqual(["/usr/bin/node", "/opt/node"]);
    expect(() => readProbe(report({ system: ["Darwin"] }), "mac")).toThrow(/not Linux/);
  });

  it("decides on the Node: new enough, and the system's rather than somebody's", () => {
    const nodes = [
      { path: "/home/ada/node", version: "22.1.0", ownerUid: 1000 },
      { path: "/usr/bin/node", version: "20.1.0", ownerUid: 0 },
      { path: "/opt/node", version: "18.1.0", ownerUid: 0 },
    ];
    expect(chooseNode({ ...PROBE, nodes }, "web1").path).toBe("/usr/bin/node");
    expect(chooseNode({ ...PROBE, nodes: nodes.slice(0, 1) }, "web1").path).toBe("/home/ada/node");
    expect(() => chooseNode({ ...PROBE, nodes: nodes.slice(2) }, "web1")).toThrow(
      /needs Node 20 or newer, but web1 has 18\.1\.0/,
    );
  });
});

describe("the words of func", () => {
  it("add and remove hosts", () => {
    const { command } = parseCommandLine(
      "add-host root@web1 --name Web1 --port 4000 --ssh-option Port=2222 --user-unit".split(" "),
    );
    expect(command).toMatchObject({
      kind: "addHost",
      destinations: [{ text: "root@web1", host: "web1" }],
      name: "web1",
      port: 4000,
      sshOptions: ["Port=2222"],
      userUnit: true,
      service: true,
    });
    expect(parseCommandLine(["remove-host", "Web1", "--offline", "-y"]).command).toMatchObject({
      kind: "removeHost",
      name: "web1",
      offline: true,
      yes: true,
    });
  });

  it.each([
    "add-host",
    "add-host a b --name c",
    "add-host a --port 0",
    "add-host a --address a/b",
    "add-host -- -oProxyCommand=x",
    "remove-host",
    "remove-host a b",
    "remove-host a --remote-home relative",
  ])("are refused where they make no sense: %s", (words) => {
    expect(() => parseCommandLine(words.split(" "))).toThrow(badArgument);
  });
});
