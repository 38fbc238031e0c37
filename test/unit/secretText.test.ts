import { describe, expect, it } from "vitest";
import { looksSecret } from "../../extension/secretText";

describe("looksSecret", () => {
  it.each([
    "-----BEGIN RSA PRIVATE KEY-----\nabc",
    "funcd join func-join-eyJ2IjoxfQ",
    "export DB_PASSWORD=hunter2",
    "tool --token abc123",
    `curl -H "Authorization: Basic abc"`,
    `curl -H 'x: Bearer abc'`,
    "curl -u joe:pw https://example.org",
    "echo root:pw | chpasswd",
    "mysql -uroot -ppw",
    "git clone https://joe:pw@example.org/x.git",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijkl",
    "usermod -p '$6$abcdefgh$xyz' joe",
    "x 4Fj39dkQ8sLm2Zx7Vb6Nc1Tq5Wp0Ry3Uh",
    { password: "x" },
    [{ deep: [{ "api-key": "x" }] }],
  ])("sees a secret in %j", (value) => {
    expect(looksSecret(value)).toBe(true);
  });

  it.each([
    "uname -a",
    "systemctl restart nginx",
    "df -h / && ls -l /etc/passwd",
    "echo $HOME $(hostname)",
    "cat /var/lib/very/long/path/With/Mixed/Case/and/0123456789/digits",
    "sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://example.org:8080/a@b",
    42,
    null,
    { name: "web1", port: 80 },
  ])("sees none in %j", (value) => {
    expect(looksSecret(value)).toBe(false);
  });
});
