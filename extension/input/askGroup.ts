import { Disposable, l10n, window, type QuickPickItem } from "vscode";
import type { GroupsModel } from "../views/groupsModel";
import { plainLabel } from "./plainLabel";
import type { Answer } from "./steps";

interface GroupItem extends QuickPickItem {
  group: string;
}

export interface GroupQuestion {
  title: string;
  groups: GroupsModel;
  /** Whether a new name can be typed. */
  create?: boolean;
}

/** Asks for a group by name. Rejects with FuncError where the file of groups is damaged. */
export async function askGroup({ title, groups, create }: GroupQuestion): Promise<Answer<string>> {
  const box = window.createQuickPick<GroupItem>();
  box.title = title;
  box.placeholder = create ? l10n.t("A group, or the name of a new one") : l10n.t("Group");
  box.ignoreFocusOut = true;
  box.busy = true;
  box.show();
  const answer = new Promise<Answer<string>>((resolve) => {
    const finish = (group: string | undefined): void => {
      resolve(group);
      disposables.dispose();
    };
    const disposables = Disposable.from(
      box,
      box.onDidChangeValue(() => offer()),
      box.onDidAccept(() => {
        const [item] = box.selectedItems;
        if (item) finish(item.group);
      }),
      box.onDidHide(() => finish(undefined)),
    );
  });
  const offer = (): void => {
    const known = groups.records.map(({ name, hosts }) => ({
      label: plainLabel(name),
      description: hosts.length === 1 ? l10n.t("1 entry") : l10n.t("{0} entries", hosts.length),
      group: name,
    }));
    const typed = box.value.trim().toLowerCase();
    const isNew = create && typed !== "" && !known.some(({ group }) => group === typed);
    box.items = isNew ? [...known, newGroup(typed)] : known;
  };
  await groups.load();
  if (groups.problem) {
    box.hide();
    throw groups.problem;
  }
  offer();
  box.busy = false;
  if (!create && groups.records.length === 0) box.placeholder = l10n.t("There are no groups.");
  return answer;
}

function newGroup(name: string): GroupItem {
  return { label: l10n.t("$(add) New group {0}", plainLabel(name)), alwaysShow: true, group: name };
}
