import { l10n, window, workspace, type Disposable, type SecretStorage } from "vscode";
import type { CertmasterList } from "../server/protocol/certmaster";
import { asFuncError, showError } from "./errors";
import type { OverlordSession } from "./overlordSession";
import type { CertificatesModel } from "./views/certificatesModel";

/** The passphrase of the CA in VS Code's store of secrets, where the user wants it kept there. */
export class CaPassphrase implements Disposable {
  private readonly subscription: Disposable;
  private unlocking = false;

  constructor(
    private readonly secrets: SecretStorage,
    private readonly session: OverlordSession,
    private readonly certificates: CertificatesModel,
  ) {
    this.subscription = certificates.onDidChange(() => {
      this.unlockWithKept().catch(showError);
    });
  }

  /** What is kept for this CA. */
  async kept(list: CertmasterList | undefined): Promise<string | undefined> {
    const key = keyOf(list);
    return key === undefined ? undefined : this.secrets.get(key);
  }

  /** Unlocks the CA until the overlord ends. Throws FuncError "denied" for a wrong passphrase. */
  async unlock(passphrase: string): Promise<void> {
    this.certificates.take(await this.session.request("certmaster/unlock", { passphrase }));
  }

  /** Asks whether to keep a passphrase that was right; a question that nobody answers keeps nothing. */
  async offerToKeep(passphrase: string, done: string): Promise<void> {
    const key = keyOf(this.certificates.list);
    if (key === undefined) return;
    // one that is kept already is of before
    await this.secrets.delete(key);
    const keep = l10n.t("Keep It");
    const question = l10n.t(
      "{0} Keep the passphrase in VS Code's store of secrets, so that VS Code unlocks the CA by itself?",
      done,
    );
    if ((await window.showInformationMessage(question, keep)) === keep) {
      await this.secrets.store(key, passphrase);
    }
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private async unlockWithKept(): Promise<void> {
    const { list } = this.certificates;
    if (list?.caState !== "locked" || this.unlocking || !workspace.isTrusted) return;
    this.unlocking = true;
    try {
      const passphrase = await this.kept(list);
      if (passphrase !== undefined) await this.unlock(passphrase);
    } catch (error) {
      const key = keyOf(list);
      // it was changed elsewhere, and would be tried again and again
      if (asFuncError(error).reason === "denied" && key !== undefined) {
        await this.secrets.delete(key);
      }
      throw error;
    } finally {
      this.unlocking = false;
    }
  }
}

function keyOf(list: CertmasterList | undefined): string | undefined {
  return list?.caFingerprint === undefined ? undefined : `func.ca.${list.caFingerprint}`;
}
