import { commands, workspace, type Disposable, type Uri, type WebviewPanel } from "vscode";
import type { DelegationMapAnswer, MapNodeState } from "../../server/protocol/delegation";
import type { MinionRecord } from "../../server/protocol/minions";
import { COMMANDS } from "../commandIds";
import { asFuncError, showError } from "../errors";
import type { Services } from "../services";
import { CallWatch } from "./callWatch";
import { HostStates } from "./hostStates";
import { actOnHost, openMapFile } from "./mapActions";
import { MapIndex } from "./mapIndex";
import type { FromMap, ToMap } from "./mapProtocol";
import { parseFromMap } from "./parseFromMap";
import { strictPage } from "./strictPage";

/** Changes come in bursts; of a large map all states are much to read. */
const STATES_MS = 700;
/** What a sub-overlord said of its minions is asked for anew after so long. */
const RECORDS_MS = 30_000;
/** Sub-overlords that a refresh asks. */
const MAX_ASKED = 40;

/** The map that shows, with all that belongs to it. */
interface Shown {
  version: number;
  answer: DelegationMapAnswer;
  index: MapIndex;
  states: HostStates;
  calls: CallWatch;
  /** When each sub-overlord was asked for its minions, by path. */
  asked: Map<string, number>;
}

/** How its hosts were last seen. */
interface Seen {
  states: MapNodeState[];
  own: MinionRecord[];
}

/** The delegation map: sends it and what happens on it, and does what the webview asks. */
export class MapPanel implements Disposable {
  private shown: Shown | undefined;
  private versions = 0;
  /** The webview's script runs; false again when it is hidden. */
  private ready = false;
  /** What is to be selected once the map is there. */
  private toShow: readonly string[] | undefined;
  private statesTimer: NodeJS.Timeout | undefined;
  private readonly subscriptions: Disposable[];

  constructor(
    readonly panel: WebviewPanel,
    private readonly services: Services,
    extensionUri: Uri,
  ) {
    const { session } = services;
    this.subscriptions = [
      panel.webview.onDidReceiveMessage((message) => void this.receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.sleep();
      }),
      session.onMapChanged(() => void this.load()),
      session.onMinionsChanged(() => this.readStatesSoon()),
      session.onJobsChanged(() => this.readStatesSoon()),
      session.onDidRestart(() => void this.load()),
      workspace.onDidGrantWorkspaceTrust(() => void this.load()),
    ];
    panel.webview.html = strictPage(panel.webview, extensionUri, {
      name: "map",
      title: "Delegation Map",
    });
  }

  /** Selects the host and shows the call path to it. */
  show(path: readonly string[]): void {
    this.toShow = path;
    if (this.shown) this.sendShow();
  }

  /** Lets go of the panel, which stays: closing it would keep it from being restored after a reload. */
  dispose(): void {
    this.sleep();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /** A hidden webview is destroyed: what was sent is gone with it. */
  private sleep(): void {
    this.ready = false;
    clearTimeout(this.statesTimer);
    this.statesTimer = undefined;
    this.shown?.calls.dispose();
    this.shown = undefined;
  }

  private async receive(raw: unknown): Promise<void> {
    const message = parseFromMap(raw);
    if (!message) {
      this.services.log.warn("The delegation map sent a message of an unknown form");
      return;
    }
    try {
      await this.act(message);
    } catch (error) {
      await showError(error);
    }
  }

  private async act(message: FromMap): Promise<void> {
    switch (message.type) {
      case "ready":
        this.ready = true;
        return this.load();
      case "refresh":
        await this.load();
        return this.askOverlords();
      case "build":
        await commands.executeCommand(COMMANDS.buildMap);
        return;
      case "openFile":
        return openMapFile(this.services, this.shown?.answer.file);
      case "selected":
        await Promise.all([this.sendCallPath(message.path), this.askAbout(message.path)]);
        return;
      case "act":
        return actOnHost(this.services, message.action, message.path);
    }
  }

  /** Reads the map anew, and sends it where it is another one than shows. */
  private async load(): Promise<void> {
    if (!this.ready) return;
    const { session } = this.services;
    const readOnly = !workspace.isTrusted;
    try {
      const [answer, seen] = await Promise.all([session.request("map/read", {}), this.readSeen()]);
      if (!this.hasWebview()) return;
      const { hello } = await session.connection();
      this.adopt(answer, new MapIndex(hello.host, answer.nodes), readOnly);
      this.takeSeen(seen);
    } catch (error) {
      if (!this.hasWebview()) return;
      const { reason, message, nextStep } = asFuncError(error);
      this.shown?.calls.dispose();
      this.shown = undefined;
      this.post({ type: "noMap", missing: reason === "not-found", message, nextStep, readOnly });
    }
  }

  private adopt(answer: DelegationMapAnswer, index: MapIndex, readOnly: boolean): void {
    const { session, jobs } = this.services;
    const version = ++this.versions;
    this.shown?.calls.dispose();
    const calls = new CallWatch(session, jobs, index, (under, ended) => {
      this.post({ type: "calls", version, under, ended });
    });
    this.shown = {
      version,
      answer,
      index,
      calls,
      states: new HostStates(index),
      asked: new Map(),
    };
    const { file, changedAtMs, problem } = answer;
    const { names, parents } = index;
    const map = { file, changedAtMs, problem, names, parents, readOnly };
    this.post({ type: "map", version, map });
    this.sendShow();
  }

  private readStatesSoon(): void {
    if (!this.shown) return;
    this.statesTimer ??= setTimeout(() => {
      this.statesTimer = undefined;
      void this.readSeen().then((seen) => this.takeSeen(seen));
    }, STATES_MS);
  }

  /** Never rejects: what cannot be known shows as unknown. */
  private async readSeen(): Promise<Seen | undefined> {
    const { session, log } = this.services;
    try {
      const [{ states }, own] = await Promise.all([
        session.request("map/states", {}),
        session.request("minions/list", {}),
      ]);
      return { states, own };
    } catch (error) {
      log.debug(`map/states: ${asFuncError(error).message}`);
      return undefined;
    }
  }

  private takeSeen(seen: Seen | undefined): void {
    const { shown } = this;
    if (!shown || !seen) return;
    shown.states.takeSeen(seen.states);
    shown.states.takeRecords([], seen.own);
    this.sendStates(shown);
  }

  private sendStates(shown: Shown): void {
    if (this.shown !== shown) return;
    const { version } = shown;
    this.post({ type: "states", version, states: shown.states.news() });
  }

  private async sendCallPath(path: string[]): Promise<void> {
    const name = path.at(-1);
    if (path.length < 2 || name === undefined) return;
    const session = this.services.session;
    const answer = await session.request("map/paths", { names: [name] }).catch(() => undefined);
    const hops = answer?.paths[0];
    if (hops) this.post({ type: "callPath", path, hops });
  }

  /** Asks the overlord above the host for what it knows of it, and a sub-overlord for its minions. */
  private async askAbout(path: readonly string[]): Promise<void> {
    const { shown } = this;
    const place = shown?.index.find(path);
    if (!shown || place === undefined) return;
    const overlords = [path.slice(0, -1), ...(shown.index.isOverlord(place) ? [path] : [])];
    await Promise.all(overlords.map((overlord) => this.askOverlord(shown, overlord)));
  }

  private async askOverlords(): Promise<void> {
    const { shown } = this;
    if (!shown) return;
    shown.asked.clear();
    const overlords = shown.index.names.flatMap((_, place) =>
      place > 0 && shown.index.isOverlord(place) ? [shown.index.pathOf(place)] : [],
    );
    for (const overlord of overlords.slice(0, MAX_ASKED)) {
      await this.askOverlord(shown, overlord);
    }
  }

  /** A sub-overlord that does not answer is no reason to bother anybody: its hosts stay as they were seen. */
  private async askOverlord(shown: Shown, path: readonly string[]): Promise<void> {
    if (path.length === 0) return;
    const key = path.join("\n");
    const nowMs = Date.now();
    if (nowMs - (shown.asked.get(key) ?? 0) < RECORDS_MS) return;
    shown.asked.set(key, nowMs);
    try {
      const answer = await this.services.session.request("overlord/at", {
        path: [...path],
        request: "minions/list",
        params: {},
      });
      if (!Array.isArray(answer)) return;
      const records: readonly unknown[] = answer;
      shown.states.takeRecords(path, records.filter(isRecord));
      this.sendStates(shown);
    } catch (error) {
      this.services.log.debug(`${path.join(" › ")}: ${asFuncError(error).message}`);
    }
  }

  private sendShow(): void {
    if (this.toShow) this.post({ type: "show", path: [...this.toShow] });
    this.toShow = undefined;
  }

  private hasWebview(): boolean {
    return this.ready;
  }

  private post(message: ToMap): void {
    if (this.ready) void this.panel.webview.postMessage(message);
  }
}

/** Another overlord's answer, of another version perhaps. */
function isRecord(value: unknown): value is MinionRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "state" in value &&
    (value.state === "online" || value.state === "unreachable" || value.state === "unknown") &&
    "certificateNotAfterMs" in value &&
    typeof value.certificateNotAfterMs === "number"
  );
}
