import { commands, Disposable, l10n, window, type Memento } from "vscode";
import { COMMANDS } from "./commandIds";
import { firstNames } from "./confirmation";
import { showError } from "./errors";
import type { OverlordSession } from "./overlordSession";
import type { CertificatesModel } from "./views/certificatesModel";
import type { CertificatesView } from "./views/certificatesView";
import type { MinionsModel } from "./views/minionsModel";

/** The requests that were told, and the CAs whose loss was. */
const TOLD_KEY = "func.toldRequests";
const REMINDED_KEY = "func.remindedOfCa";
const MAX_KEPT = 200;
/** A notice that nobody answers goes out of sight; later requests get one of their own. */
const ANSWER_MS = 60_000;
/** A notice is no place for a list. */
const WARNINGS_SHOWN = 2;
/** Nothing tells of a new day, on which the overlord may warn of more. */
const LOOK_MS = 60 * 60 * 1000;

export interface NoticeParts {
  session: OverlordSession;
  certificates: CertificatesModel;
  certificatesView: CertificatesView;
  minions: MinionsModel;
  /** Of the user, for all windows. */
  memento: Memento;
}

/**
 * Tells of requests that begin to wait (once each, and one notice for all that come together), of
 * certificates that end (once a day), and once of what the CA is worth.
 */
export function registerCertificateNotices(parts: NoticeParts): Disposable {
  const notices = new CertificateNotices(parts);
  const looking = setInterval(() => {
    if (parts.session.state.kind === "connected") void parts.certificates.load();
  }, LOOK_MS);
  return Disposable.from(
    { dispose: () => clearInterval(looking) },
    parts.certificates.onDidChange(() => notices.look()),
    parts.session.onMinionsChanged(() => notices.remind()),
  );
}

class CertificateNotices {
  private asking = false;
  private warnedOn: string | undefined;

  constructor(private readonly parts: NoticeParts) {}

  look(): void {
    this.tellWaiting().catch(showError);
    this.warnOfEnds().catch(showError);
    this.remind();
  }

  /** Once for a CA, when another machine trusts it. */
  remind(): void {
    const { certificates, memento, minions, session } = this.parts;
    const ca = certificates.list?.caFingerprint;
    if (ca === undefined || session.state.kind !== "connected") return;
    const reminded = kept(memento, REMINDED_KEY);
    const hosts = minions.names().filter((name) => !isLoopback(minions.get(name)?.address));
    if (hosts.length === 0 || reminded.includes(ca)) return;
    void memento.update(REMINDED_KEY, [...reminded, ca].slice(-MAX_KEPT));
    const place = `${session.state.hello.dataDirectory}/ca`;
    const text = l10n.t(
      "Your hosts trust the certificate authority in {0} on {1}. Who loses it loses the fleet, who gets it has the fleet: keep a backup in a safe place.",
      place,
      session.state.hello.host,
    );
    const backUp = l10n.t("Back Up...");
    void window.showInformationMessage(text, backUp).then((chosen) => {
      if (chosen === backUp) void commands.executeCommand(COMMANDS.backUpOverlord);
    });
  }

  private async tellWaiting(): Promise<void> {
    if (this.asking) return;
    const { certificates, certificatesView, memento } = this.parts;
    const told = kept(memento, TOLD_KEY);
    const untold = certificates.waiting.filter((request) => !told.includes(keyOf(request)));
    const [first] = untold;
    if (!first) return;
    this.asking = true;
    try {
      await memento.update(TOLD_KEY, [...told, ...untold.map(keyOf)].slice(-MAX_KEPT));
      const review = l10n.t("Review");
      const text =
        untold.length === 1
          ? l10n.t("{0} asks for a certificate, from {1}.", first.name, first.from)
          : l10n.t(
              "{0} hosts ask for certificates: {1}.",
              untold.length,
              firstNames(untold.map(({ name }) => name)),
            );
      const answered = window.showInformationMessage(text, review).then((chosen) => {
        if (chosen !== review) return undefined;
        const { name, keyFingerprint } = first;
        return certificatesView.reveal({ kind: "request", name, keyFingerprint });
      });
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS))]);
    } finally {
      this.asking = false;
    }
    if (this.parts.certificates.waiting.length > 0) await this.tellWaiting();
  }

  /** What the overlord warns of: certificates that were not renewed, and why. */
  private async warnOfEnds(): Promise<void> {
    const { certificates, certificatesView } = this.parts;
    const today = new Date().toDateString();
    const { caState, warnings = [] } = certificates.list ?? {};
    if (this.warnedOn === today || warnings.length === 0) return;
    this.warnedOn = today;
    const rest = warnings.length - WARNINGS_SHOWN;
    const text = [
      ...warnings.slice(0, WARNINGS_SHOWN),
      ...(rest > 0 ? [l10n.t("And {0} more.", rest)] : []),
    ].join(" ");
    const show = l10n.t("Show");
    const unlock = l10n.t("Unlock...");
    const actions = caState === "locked" ? [unlock, show] : [show];
    const chosen = await window.showWarningMessage(text, ...actions);
    if (chosen === show) await certificatesView.reveal({ kind: "section", section: "signed" });
    if (chosen === unlock) await commands.executeCommand(COMMANDS.unlockCa);
  }
}

function keyOf({ name, keyFingerprint }: { name: string; keyFingerprint: string }): string {
  return `${name}/${keyFingerprint}`;
}

function kept(memento: Memento, key: string): readonly string[] {
  const value = memento.get<unknown>(key);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

/** Minions of this machine are for trying, and end with it. */
function isLoopback(address: string | undefined): boolean {
  return address === undefined || /^(?:127\.|::1$|localhost$)/.test(address);
}
