import type { DelegationMaps } from "../delegation/delegationMaps";
import type { GroupsFile } from "../targets/groupsFile";
import type { Inventory } from "../targets/inventory";
import type { ClientFeed } from "./clientFeed";

interface DataParts {
  inventory: Inventory;
  groups: GroupsFile;
  maps: DelegationMaps;
}

/** Tells all clients of changes of the minions, the groups and the delegation map. */
export function tellOfData(
  { inventory, groups, maps }: DataParts,
  tell: (change: (feed: ClientFeed) => void) => void,
): void {
  inventory.onChanged((changes) => {
    tell((feed) => {
      feed.minionsChanged(changes);
    });
  });
  groups.onEdited(() => {
    tell((feed) => {
      feed.groupsChanged();
    });
  });
  maps.onChanged(() => {
    tell((feed) => {
      feed.mapChanged();
    });
  });
}
