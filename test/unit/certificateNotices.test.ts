import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { registerCertificateNotices } from "../../extension/certificateNotices";
import type { OverlordSession } from "../../extension/overlordSession";
import { CertificatesModel } from "../../extension/views/certificatesModel";
import type { CertificatesView } from "../../extension/views/certificatesView";
import { MinionsModel } from "../../extension/views/minionsModel";
import type { CertmasterList } from "../../server/protocol/certmaster";
import type { MinionRecord } from "../../server/protocol/minions";
import { EventEmitter } from "../fixtures/vscodeStub";

const shown = vi.hoisted(() => ({
  texts: [] as string[],
  answers: [] as ((answer: string | undefined) => void)[],
}));

vi.mock("vscode", async () => {
  const stub = await import("../fixtures/vscodeStub");
  const show = (text: string): Promise<string | undefined> => {
    shown.texts.push(text);
    return new Promise((resolve) => shown.answers.push(resolve));
  };
  return {
    ...stub,
    Disposable: {
      from: (...all: { dispose(): void }[]) => ({
        dispose: () => {
          for (const one of all) one.dispose();
        },
      }),
    },
    window: { showInformationMessage: show, showWarningMessage: show },
  };
});

let disposable: { dispose(): void };
let minions: MinionsModel;
let certificates: CertificatesModel;
const minionsChanged = new EventEmitter<void>();
const revealed: object[] = [];
const kept = new Map<string, unknown>();

beforeEach(() => {
  kept.clear();
  open();
});
afterEach(() => disposable.dispose());

/** As a window does when it opens. */
function open(): void {
  for (const list of [shown.texts, shown.answers, revealed]) list.length = 0;
  minions = new MinionsModel();
  const session = {
    state: { kind: "connected", hello: { dataDirectory: "/data", host: "lord" } },
    onMinionsChanged: minionsChanged.event,
    request: () => Promise.resolve(minions.names().map((name) => minions.get(name))),
  } as unknown as OverlordSession;
  certificates = new CertificatesModel(session);
  disposable = registerCertificateNotices({
    session,
    certificates,
    certificatesView: {
      reveal: async (node: object) => void revealed.push(node),
    } as unknown as CertificatesView,
    minions,
    memento: {
      get: (key: string) => kept.get(key),
      update: async (key: string, value: unknown) => void kept.set(key, value),
      keys: () => [],
    },
  });
}

async function told(list: Partial<CertmasterList>): Promise<void> {
  certificates.take({
    caState: "ready",
    certificates: [],
    tokens: [],
    waiting: [],
    modes: {},
    revocationNumber: 0,
    ...list,
  });
  await settled();
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function waiting(...names: string[]): CertmasterList["waiting"] {
  return names.map((name, sinceMs) => {
    return { name, keyFingerprint: "ab", words: "acid", from: "10.0.0.9", port: 1, sinceMs };
  });
}

function minion(name: string, address: string): MinionRecord {
  return {
    ...{ name, address, port: 51234, state: "online", enrolledAtMs: 0 },
    ...{ keyFingerprint: "", certificateSerial: "", certificateNotAfterMs: 0 },
  };
}

it("tells of each request once, and of many in one notice at a time", async () => {
  await told({ waiting: waiting("web1") });
  expect(shown.texts).toEqual(["web1 asks for a certificate, from 10.0.0.9."]);
  await told({ waiting: waiting("web1", "web2", "web3") });
  await told({ waiting: waiting("web1", "web2", "web3", "web4") });
  expect(shown.texts).toHaveLength(1);
  shown.answers[0]?.("Review");
  await settled();
  expect(revealed).toEqual([{ kind: "request", name: "web1", keyFingerprint: "ab" }]);
  expect(shown.texts.slice(1)).toEqual(["3 hosts ask for certificates: web2, web3, web4."]);

  // and not again in a window that opens later
  disposable.dispose();
  open();
  await told({ waiting: waiting("web1", "web2", "web3", "web4") });
  expect(shown.texts).toEqual([]);
});

it("passes on once a day what the overlord warns of", async () => {
  await told({ warnings: [] });
  expect(shown.texts).toEqual([]);
  await told({ warnings: ["One.", "Two.", "Three."] });
  await told({ warnings: ["One.", "Two.", "Three."] });
  expect(shown.texts).toEqual(["One. Two. And 1 more."]);
  shown.answers[0]?.("Show");
  await settled();
  expect(revealed).toEqual([{ kind: "section", section: "signed" }]);
});

it("says once what the CA is worth, when another machine trusts it", async () => {
  minions.replace([minion("try-1", "127.0.0.1")]);
  await told({ caFingerprint: "ca" });
  expect(shown.texts).toEqual([]);
  minions.replace([minion("web1", "10.0.0.1")]);
  minionsChanged.fire();
  minionsChanged.fire();
  expect(shown.texts).toHaveLength(1);
  expect(shown.texts[0]).toContain("/data/ca on lord");
});
