import { isDeepStrictEqual } from "node:util";
import { checkArguments } from "../../server/minion/argumentCheck";
import { MethodError } from "../../server/minion/methodError";
import { parseCommandLine } from "../../server/cli/parse";
import { parseListen } from "../../server/minion/configuration";
import { parseFuncdOptions } from "../../server/minion/funcdOptions";
import { parseConfiguration } from "../../server/overlord/configuration";
import { parseParams, isRequestName } from "../../server/overlord/requestSchemas";
import {
  decodeAskAnswer,
  decodeAskRequest,
  encodeAskRequest,
  type AskAnswer,
} from "../../server/pki/enrolment/askProtocol";
import { Autosign, parseNetwork } from "../../server/pki/certmaster/autosign";
import { decodeEnrolRequest } from "../../server/pki/enrolment/enrolProtocol";
import {
  fingerprintWords,
  isFingerprint,
  parseFingerprint,
} from "../../server/pki/certificates/fingerprintWords";
import { formatHostPort, parseHostPort } from "../../server/common/hostPort";
import { formatJoinToken, parseJoinToken } from "../../server/pki/enrolment/joinToken";
import { sourceOf } from "../../server/pki/certmaster/sourceAddress";
import { answerWaitForCert } from "../../server/pki/certmaster/waitForCert";
import { fnmatch } from "../../server/targets/fnmatch";
import { GroupsText } from "../../server/targets/groupsText";
import { matchTargets } from "../../server/targets/targetSpec";
import type { XmlRpcValue } from "../../server/wire/value";
import type { FuzzTarget } from "./fuzzTarget";
import { insist, verdictOf } from "./fuzzTarget";
import { mutate } from "./mutation";
import type { Random } from "./random";

const WORDS = ["\n", "\r\n", "\t", " ", "[", "]", "{", "}", ":", ";", ",", "=", "#", "*", "?", "!", "@", "-", "--", "0", "-1", "65536", "1e999", "é", "😀", "\u0000", "\ufeff", "&a", "*a", "!!js", "<<:", "%", "__proto__", "'", '"', "\\"] as const; // prettier-ignore

/** A reader of text: what it reads it reads for whatever text, and says what is wrong with the rest. */
function textTarget(
  name: string,
  samples: readonly string[],
  read: (text: string, random: Random) => void,
): FuzzTarget {
  return {
    name,
    make: (random) => mutate(random, Buffer.from(random.pick(samples)), WORDS),
    check: (input, random) => {
      verdictOf(() => {
        read(input.toString(), random);
      });
    },
  };
}

const TOKEN = formatJoinToken({
  id: "0123abcd",
  secret: Buffer.alloc(32, 7).toString("base64url"),
  caFingerprint: "ab".repeat(32),
  addresses: ["192.0.2.1:51235", "[2001:db8::1]:51235"],
});
const HOSTS = ["web1", "web2.example", "db1", "a-b", "_x"];
const GROUPS = new Map([["web", ["web1", "web2.example"]]]);

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  textTarget("join tokens", [TOKEN], (text) => {
    const content = parseJoinToken(text);
    insist(isDeepStrictEqual(parseJoinToken(formatJoinToken(content)), content), "a token changes");
  }),
  textTarget(
    "groups files",
    ["[web]\nweb1 = web2\n host3\n\n# note\n[db]\ndb1\ndb2, db3\n", "[a]\nb\n[c]\n"],
    (text) => {
      const groups = GroupsText.parse(text, "groups");
      const again = GroupsText.parse(groups.toString(), "groups");
      insist(isDeepStrictEqual(again.groups(), groups.groups()), "a groups file changes");
    },
  ),
  textTarget(
    "overlord.yaml",
    [
      'certmaster: { listen: "127.0.0.1:0" }\ntimeout: 20\nnforks: 100\n',
      "a: &a [*a]\n",
      'certmaster:\n  autosign:\n    names: ["web*"]\n    networks: [10.0.0.0/8]\n',
    ],
    (text) => {
      parseConfiguration(text, "overlord.yaml");
    },
  ),
  textTarget("addresses", ["127.0.0.1:80", "[::1]:80", "host"], (text) => {
    parseListen(text);
    const parsed = parseHostPort(text, 1);
    insist(isDeepStrictEqual(parseHostPort(formatHostPort(parsed)), parsed), "an address changes");
  }),
  textTarget(
    "command lines",
    [
      "web* call command run uptime",
      "--json\n* ping",
      "ca token --ttl 5m",
      "-e web1 --forks 3 @web list_minions",
      "group add web a b",
      "ca approve web1 --fingerprint acid-acid-acid-acid-acid-acid-acid-zebra",
      "certmaster-ca --sign web*",
    ],
    (text) => {
      parseCommandLine(text.split(/[ \n]/));
    },
  ),
  textTarget(
    "options of funcd",
    ["--home /tmp/a --listen 0.0.0.0:0", "join TOKEN --name a", "join --ask [::1]:7 --minutes 5"],
    (text) => {
      parseFuncdOptions(text.split(" "), {});
    },
  ),
  textTarget(
    "target expressions",
    ["web*;db?", "@web:web[12]*", "*;!a", "[!a-c]*", "@web;@web"],
    (text, random) => {
      matchTargets({ spec: text, exclude: random.chance(0.3) ? "web1" : undefined }, HOSTS, GROUPS);
    },
  ),
  textTarget("globs", ["*a*b*c", "[a-z]?*", "[!]]*[[]"], (text) => {
    const matches = fnmatch(text);
    for (const host of [...HOSTS, "a".repeat(200)]) matches(host);
  }),
  textTarget(
    "requests",
    [
      '["calls/start",{"spec":"*","module":"a","method":"b","args":[]}]',
      '["outputs/read",{"sha256":"","offset":0,"length":1}]',
    ],
    (text) => {
      const request = parsedJson(text);
      const [method, params] = Array.isArray(request) ? (request as unknown[]) : [];
      if (typeof method === "string" && isRequestName(method)) parseParams(method, params);
    },
  ),
  textTarget(
    "enrolments",
    ['[{"token_id":"a","secret":"b","csr":"c","name":"d","port":1}]'],
    (text) => {
      const params = parsedJson(text);
      if (Array.isArray(params)) decodeEnrolRequest(params as XmlRpcValue[]);
    },
  ),
  textTarget("requests without a token", ['[{"csr":"c","name":"d","port":1}]'], (text) => {
    const params = parsedJson(text);
    if (!Array.isArray(params)) return;
    const { csr, ...request } = decodeAskRequest(params as XmlRpcValue[]);
    const again = decodeAskRequest([encodeAskRequest({ csr, ...request })]);
    insist(isDeepStrictEqual(again, { csr, ...request }), "a request changes");
  }),
  textTarget(
    "answers to them",
    ['{"state":"denied","retry_s":5}', '{"state":"waiting"}'],
    (text) => {
      const answer = parsedJson(text);
      if (answer !== undefined) decodeAskAnswer(answer as XmlRpcValue);
    },
  ),
  {
    name: "wait_for_cert",
    make: (random) => mutate(random, Buffer.from('["wait_for_cert","csr","",true]'), WORDS),
    check: async (input) => {
      const [method, ...params] = [parsedJson(input.toString())].flat();
      if (typeof method !== "string") return;
      const ask = (): Promise<AskAnswer> => Promise.resolve({ state: "waiting" });
      await answerWaitForCert(method, params as XmlRpcValue[], ask).catch((error: unknown) => {
        verdictOf(() => {
          throw error;
        });
      });
    },
  },
  textTarget("fingerprints", ["acid ".repeat(7) + "zebra", "ab:".repeat(31) + "ab"], (text) => {
    const typed = parseFingerprint(text);
    insist(isFingerprint(typed, typed.padEnd(64, "0")), "a fingerprint is not its own");
    if (typed.length === 16) {
      insist(parseFingerprint(fingerprintWords(typed)) === typed, "the words change");
    }
  }),
  textTarget("networks and sources", ["10.1.0.0/16", "2001:db8::/32", "::ffff:1.2.3.4"], (text) => {
    sourceOf(text);
    parseNetwork(text);
    new Autosign({ names: ["*"], networks: [text] }).allows("a", text.split("/", 1)[0] ?? "");
  }),
  textTarget("arguments", ["12", "1.5e3", "yes", "  7 ", "9".repeat(300)], (text, random) => {
    const type = random.pick(["int", "float", "boolean", "string", "hash", "list"] as const);
    try {
      checkArguments("a.b", [{ name: "x", type, optional: false, description: "" }], [text]);
    } catch (error) {
      if (!(error instanceof MethodError)) throw error;
    }
  }),
];

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
