import { Disposable, l10n, window, type QuickPickItem } from "vscode";
import { messageOf } from "../../server/common/errors";
import { sshHosts } from "../../server/client/sshHosts";

/** What ssh takes as its destination; never an option. */
const DESTINATION = /^(?:[A-Za-z0-9_][A-Za-z0-9_.\\@+-]*@)?[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/;

/** Asks for a host of the user's SSH configuration, or another one as "[USER@]HOST". */
export async function askHost(title: string): Promise<string | undefined> {
  const box = window.createQuickPick<QuickPickItem>();
  box.title = title;
  box.placeholder = l10n.t("A host of your SSH configuration, or USER@HOST");
  box.matchOnDescription = true;
  box.ignoreFocusOut = true;
  box.busy = true;
  let known: QuickPickItem[] = [];
  const offer = (): void => {
    const typed = box.value.trim();
    const isNew = DESTINATION.test(typed) && !known.some(({ label }) => label === typed);
    const item = { label: typed, description: l10n.t("as typed"), alwaysShow: true };
    box.items = isNew ? [...known, item] : known;
  };
  const answer = new Promise<string | undefined>((resolve) => {
    const disposables = Disposable.from(
      box,
      box.onDidChangeValue(offer),
      box.onDidAccept(() => {
        const [item] = box.selectedItems;
        if (!item) return;
        resolve(item.label);
        disposables.dispose();
      }),
      box.onDidHide(() => {
        resolve(undefined);
        disposables.dispose();
      }),
    );
  });
  box.show();
  try {
    const named = (await sshHosts()).filter(({ name }) => DESTINATION.test(name));
    known = named.map(({ name, address }) => ({ label: name, description: address }));
  } catch (error) {
    box.placeholder = l10n.t("USER@HOST ({0})", messageOf(error));
  }
  box.busy = false;
  offer();
  return answer;
}
