import { expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../extension/input/address";

it.each([
  ["web1.example.org:51234", { address: "web1.example.org", port: 51_234 }],
  [" 10.0.0.7:1 ", { address: "10.0.0.7", port: 1 }],
  ["[fe80::1]:65535", { address: "fe80::1", port: 65_535 }],
])("reads %s", (text, endpoint) => {
  expect(parseAddress(text)).toEqual(endpoint);
  expect(formatAddress(endpoint)).toBe(text.trim());
});

it.each(["web1", "web1:", "web1:0", "web1:70000", "fe80::1:51234", "a b:1", ":1", ""])(
  "refuses %j",
  (text) => {
    expect(() => parseAddress(text)).toThrow("An address is HOST:PORT");
  },
);
