import { l10n } from "vscode";
import { requireTrust } from "../calls";
import { errorText } from "../errors";
import { formatAddress, parseAddress } from "../input/address";
import { askText } from "../input/askText";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { chosenMinions } from "./selection";

/** Changes where the overlord connects to one minion. */
export async function editAddress(services: Services, item?: unknown): Promise<void> {
  requireTrust();
  const title = l10n.t("Edit Address");
  const [name] = await chosenMinions(services, item, undefined, title);
  if (name === undefined) return;
  const record = services.minions.get(name);
  const text = await askText({
    title: l10n.t("Edit Address of {0}", name),
    prompt: l10n.t("Host name or IP address, and port"),
    value: record ? formatAddress(record) : "",
    check: (typed) => {
      try {
        parseAddress(typed);
        return undefined;
      } catch (error) {
        return errorText(error);
      }
    },
  });
  if (text === undefined || text === BACK) return;
  await services.session.request("minions/edit", { name, ...parseAddress(text) });
}
