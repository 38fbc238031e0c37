import { l10n, MarkdownString, Uri, workspace, type Disposable } from "vscode";
import type { JobSummary } from "../../server/protocol/jobs";
import { runText, type RunOfJob } from "../export/runText";
import { bufferSource } from "../results/byteSource";
import type { ResultReader } from "../results/resultParts";
import { ReadOnlyFiles } from "./readOnlyFiles";

const RUN_SCHEME = "func-run";
/** Both sides of two comparisons. */
const MAX_KEPT = 4;

/** All results of a job as one read-only text, to be compared with another run's. */
export class RunFiles {
  private readonly kept = new Map<string, Promise<string>>();

  constructor(private readonly reader: ResultReader) {}

  register(): Disposable {
    const files = new ReadOnlyFiles(async (uri) => {
      const job = parseRunUri(uri);
      if (!job) return undefined;
      const text = await this.text(job, new AbortController().signal);
      return bufferSource(Buffer.from(text, "utf8"));
    });
    return workspace.registerFileSystemProvider(RUN_SCHEME, files, {
      isReadonly: new MarkdownString(l10n.t("These are the results of a job.")),
      isCaseSensitive: true,
    });
  }

  /**
   * Reads a job's results and gives the address under which an editor shows them; `report` is called with each
   * minion. Throws FuncError.
   */
  async prepare(job: JobSummary, signal: AbortSignal, report: () => void): Promise<Uri> {
    await this.text(job, signal, report);
    return runUri(job);
  }

  /** Kept for as long as an editor may ask for it soon: jobs can run again. */
  private text(job: RunOfJob, signal: AbortSignal, report?: () => void): Promise<string> {
    const known = report ? undefined : this.kept.get(job.id);
    if (known) return known;
    const text = runText(this.reader, job, signal, report);
    this.kept.set(job.id, text);
    text.catch(() => this.kept.delete(job.id));
    for (const oldest of this.kept.keys()) {
      if (this.kept.size > MAX_KEPT) this.kept.delete(oldest);
    }
    return text;
  }
}

function runUri({ id, module, method, total, createdAtMs }: JobSummary): Uri {
  const query = new URLSearchParams({ id, module, method, total: String(total) });
  // the path is the title of a tab
  const at = new Date(createdAtMs).toISOString().slice(0, 19).replaceAll(":", ".");
  const path = `/${module}.${method} ${at}.txt`;
  return Uri.from({ scheme: RUN_SCHEME, path, query: query.toString() });
}

function parseRunUri(uri: Uri): RunOfJob | undefined {
  const query = new URLSearchParams(uri.query);
  const [id, module, method] = [query.get("id"), query.get("module"), query.get("method")];
  const total = Number(query.get("total"));
  if (!id || !module || !method || !Number.isSafeInteger(total)) return undefined;
  return { id, module, method, total };
}
