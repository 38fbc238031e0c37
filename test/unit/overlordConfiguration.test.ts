import { expect, it } from "vitest";
import { parseConfiguration } from "../../server/overlord/configuration";

it("has defaults for what is not set", () => {
  expect(parseConfiguration("", "overlord.yaml")).toEqual({
    nforks: 64,
    nforksGiven: false,
    connectTimeoutMs: 10_000,
    deliveryTimeoutMs: 30_000,
    timeoutMs: 60_000,
    certmasterListen: { host: "0.0.0.0", port: 51_235 },
    idleMs: 600_000,
    jobs: { keepMs: 604_800_000, keepJobs: 100_000, keepBytes: 17_179_869_184 },
    map: { onlyAlive: false },
  });
});

it("reads all settings", () => {
  const text =
    "nforks: 8\nconnect_timeout: 2\ndelivery_timeout: 0.5\ntimeout: 1.5\n" +
    'idle_minutes: 0.5\ncertmaster:\n  listen: "[::1]:0"\n' +
    "jobs: {keep_days: 1.5, keep_jobs: 50, keep_gigabytes: 0.5}\n" +
    "map: {build_every: 24h, only_alive: true}\n";
  expect(parseConfiguration(text, "overlord.yaml")).toEqual({
    nforks: 8,
    nforksGiven: true,
    connectTimeoutMs: 2_000,
    deliveryTimeoutMs: 500,
    timeoutMs: 1_500,
    certmasterListen: { host: "::1", port: 0 },
    idleMs: 30_000,
    jobs: { keepMs: 129_600_000, keepJobs: 50, keepBytes: 536_870_912 },
    map: { everyMs: 86_400_000, onlyAlive: true },
  });
});

it.each(["24", "0h", "1y", "5000d", "-1h", "true"])("builds no map every %s", (every) => {
  const text = `map:\n  build_every: ${every}\n`;
  expect(() => parseConfiguration(text, "overlord.yaml")).toThrow(/^overlord.yaml:2: .*24h/);
});

it("keeps finished jobs for an hour, whatever is set", () => {
  expect(parseConfiguration("jobs:\n  keep_days: 0\n", "overlord.yaml")).toMatchObject({
    jobs: { keepMs: 3_600_000, keepJobs: 100_000 },
  });
});

it("reads how certificates are given out", () => {
  const text =
    'certmaster:\n  listen: "[::1]:0"\n  autosign:\n    names: ["Web*", db1]\n' +
    '    networks: [10.0.0.0/8, "2001:db8::/32"]\n  original_http: {listen: "10.0.0.1:51235"}\n';
  expect(parseConfiguration(text, "overlord.yaml")).toMatchObject({
    autosign: { names: ["web*", "db1"], networks: ["10.0.0.0/8", "2001:db8::/32"] },
    originalHttp: { host: "10.0.0.1", port: 51_235 },
  });
});

it.each([
  ["certmaster:\n  autosign:\n    names: [web1]", /x\.yaml:2: certmaster.autosign must be both, /],
  ["certmaster:\n  autosign:\n    networks: [10.0.0.0/8]", /x\.yaml:2: .* must be both, /],
  [
    "certmaster:\n  autosign:\n    names: []\n    networks: [10.0.0.0/8]",
    /x\.yaml:3: certmaster.autosign.names must be a list that is not empty/,
  ],
  [
    "certmaster:\n  autosign:\n    names: [w]\n    networks:\n      - 10.0.0.0/8\n      - 10.0.0.0",
    /x\.yaml:6: certmaster.autosign.networks: "10\.0\.0\.0" is not a network/,
  ],
  [
    "certmaster:\n  autosign:\n    names: [w]\n    networks: [0.0.0.0/0]",
    /x\.yaml:4: .*which is no bound/,
  ],
  [
    "certmaster:\n  autosign:\n    names: ['web/*']\n    networks: [10.0.0.0/8]",
    /x\.yaml:3: certmaster.autosign.names: "web\/\*" is not a pattern/,
  ],
  ["certmaster:\n  autosign:\n    names: [1]", /x\.yaml:3: .* must be a list of texts/],
  ["certmaster:\n  autosign: yes", /x\.yaml:2: certmaster.autosign must be settings/],
  ["certmaster:\n  autosign:\n    all: true", /x\.yaml:3: .*"certmaster.autosign.all"/],
  ["certmaster:\n  original_http:\n    port: 1", /x\.yaml:3: .*"certmaster.original_http.port"/],
  ["nforks: 0", /x\.yaml:1: nforks must be a number from 1/],
  ["nforks: 1.5", /x\.yaml:1: nforks must be a whole number/],
  ["# text\n\ntimeout: soon", /x\.yaml:3: timeout must be a number/],
  ["connect_timeout: 0", /x\.yaml:1: connect_timeout must be a number from 0\.1/],
  ["timeout: 60\ndelivery_timeout: 30s", /x\.yaml:2: delivery_timeout must be a number/],
  [
    "nfork: 1",
    /x\.yaml:1: there is no setting "nfork"; known: nforks, connect_timeout, delivery_timeout, timeout, /,
  ],
  ["certmaster: {port: 1}", /x\.yaml:1: there is no setting "certmaster.port"/],
  ["certmaster:\n  listen: 51235", /x\.yaml:2: certmaster.listen must be HOST:PORT/],
  ["certmaster:\n  listen: a:99999", /x\.yaml:2: certmaster.listen/],
  ["jobs: {keep_days: -1}", /x\.yaml:1: jobs.keep_days must be a number from 0/],
  ["jobs:\n  keep_jobs: 0", /x\.yaml:2: jobs.keep_jobs must be a number from 1/],
  ["jobs:\n  keep_gigabytes: all", /x\.yaml:2: jobs.keep_gigabytes must be a number from 0\.01/],
  ["jobs:\n  keep: 7", /x\.yaml:2: there is no setting "jobs.keep"; known: jobs.keep_days, /],
  ["- a", /x\.yaml:1: the file must hold settings/],
  ["a: 1\na: 2", /x\.yaml:2: /],
  ["nforks: 1\n  x: [", /x\.yaml:\d: /],
])("%j is refused with its line", (text, message) => {
  expect(() => parseConfiguration(text, "x.yaml")).toThrow(message);
});
