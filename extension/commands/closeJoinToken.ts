import { l10n } from "vscode";
import { FuncError } from "../../server/common/errors";
import { requireTrust } from "../calls";
import { askPick } from "../input/askPick";
import { plainLabel } from "../input/plainLabel";
import { BACK } from "../input/steps";
import type { Services } from "../services";
import { spanText } from "../views/certificateValidity";
import { chosenCertificateNodes } from "./certificateSelection";

/** Takes join tokens back before they are used. */
export async function closeJoinToken(
  services: Services,
  item?: unknown,
  items?: unknown,
): Promise<void> {
  requireTrust();
  const { certificates, session } = services;
  const chosen = chosenCertificateNodes(item, items).flatMap((node) =>
    node.kind === "token" ? [node.id] : [],
  );
  const ids = chosen.length > 0 ? chosen : await askToken(services);
  if (ids.length === 0) return;
  for (const id of ids) {
    certificates.take(await session.request("certmaster/closeToken", { id }));
  }
}

async function askToken({ certificates }: Services): Promise<string[]> {
  const offered = async () => {
    await certificates.load();
    if (certificates.tokens.length === 0) {
      throw new FuncError("not-found", l10n.t("No join token is open."));
    }
    return certificates.tokens.map(({ id, nameGlob, expiresAtMs }) => ({
      label: plainLabel(nameGlob ?? l10n.t("Any host")),
      description: l10n.t("{0} left · {1}", spanText(expiresAtMs - Date.now()), id),
      id,
    }));
  };
  const picked = await askPick({ title: l10n.t("Close Join Token"), items: offered() });
  return picked === undefined || picked === BACK ? [] : [picked.id];
}
