import { expect, it } from "vitest";
import { parseSshHosts } from "../../extension/sshHosts";

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
