import { EXIT_FAILED, EXIT_OK } from "../exitStatus";
import { renderTable } from "../render";
import type { Session } from "../session";

/** `func ca renew [SPEC]`: renews now, without SPEC what is due. */
export async function caRenew(session: Session, spec: string | undefined): Promise<number> {
  const connection = await session.connect();
  const result = await connection.request("certmaster/renew", spec === undefined ? {} : { spec });
  const { renewed, failed } = result;
  if (session.options.json) {
    session.out.result(`${JSON.stringify(result)}\n`);
  } else {
    session.out.result(
      renderTable(
        renewed.map(({ name, notAfterMs }) => [
          name,
          `renewed until ${new Date(notAfterMs).toISOString().slice(0, 10)}`,
        ]),
      ),
    );
    for (const { name, problem } of failed) session.out.note(`${name}: not renewed: ${problem}\n`);
    if (renewed.length + failed.length === 0) session.out.note("No certificate is due.\n");
  }
  return failed.length > 0 ? EXIT_FAILED : EXIT_OK;
}
