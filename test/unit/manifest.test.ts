import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CERTIFICATES_VIEW,
  COMMANDS,
  JOBS_VIEW,
  MINIONS_VIEW,
  RESULTS_PANEL,
} from "../../extension/commandIds";

interface MenuEntry {
  command: string;
  when?: string;
}
interface Manifest {
  icon: string;
  activationEvents: string[];
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string; category?: string; icon?: string }[];
    menus: Record<string, MenuEntry[]>;
    views: Record<string, { id: string; icon: string }[]>;
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    walkthroughs: {
      id: string;
      steps: {
        id: string;
        description: string;
        media: { image: Record<string, string>; altText: string };
        completionEvents: string[];
      }[];
    }[];
    viewsWelcome: { view: string; contents: string }[];
    configuration: {
      properties: Record<
        string,
        { scope: string; order: number; markdownDescription: string; type: string }
      >;
    };
  };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const { contributes } = manifest;
const ids: string[] = Object.values(COMMANDS);

describe("the manifest", () => {
  it("contributes exactly the commands that the code registers", () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(ids.sort());
  });

  it("puts every command under one category in the palette", () => {
    for (const { category } of contributes.commands) expect(category).toBe("Func");
  });

  it("names only commands of its own in menus and welcome views", () => {
    for (const entry of Object.values(contributes.menus).flat()) {
      expect(ids).toContain(entry.command);
    }
    for (const { view, contents } of contributes.viewsWelcome) {
      expect([MINIONS_VIEW, JOBS_VIEW, CERTIFICATES_VIEW]).toContain(view);
      for (const [, command] of contents.matchAll(/\(command:([\w.]+)\)/g)) {
        if (!command?.startsWith("workbench.")) expect(ids).toContain(command);
      }
    }
  });

  it("has an icon for each command that is a button", () => {
    const buttons = Object.values(contributes.menus)
      .flat()
      .filter((entry) => /^(navigation|inline)/.test((entry as { group?: string }).group ?? ""));
    for (const { command } of buttons) {
      expect(contributes.commands.find((other) => other.command === command)?.icon).toBeTruthy();
    }
  });

  it("scopes and explains each setting, and restricts what untrusted workspaces may set", () => {
    const settings = Object.entries(contributes.configuration.properties);
    for (const [, setting] of settings) {
      expect(setting.markdownDescription.length).toBeGreaterThan(20);
      expect(setting.order).toBeGreaterThan(0);
    }
    const machine = settings.filter(([, { scope }]) => scope === "machine").map(([id]) => id);
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(machine);
  });

  it("walks through commands of its own, with a picture for each theme and step", () => {
    const steps = contributes.walkthroughs.flatMap(({ steps }) => steps);
    expect(steps.length).toBeGreaterThan(4);
    for (const { description, media, completionEvents } of steps) {
      const linked = [...description.matchAll(/\(command:([\w.]+)\)/g)].map(([, id]) => id);
      expect(linked.length).toBeGreaterThan(0);
      const completing = completionEvents
        .filter((event) => event.startsWith("onCommand:"))
        .map((event) => event.slice("onCommand:".length));
      for (const id of [...linked, ...completing]) expect(ids).toContain(id);
      for (const theme of ["dark", "light", "hc", "hcLight"]) {
        const file = media.image[theme] ?? "";
        expect(statSync(file).size).toBeLessThan(100_000);
      }
      expect(media.altText).not.toBe("");
    }
  });

  it("restores results panels, shows its view, and its icons exist", () => {
    expect(manifest.activationEvents).toContain(`onWebviewPanel:${RESULTS_PANEL}`);
    const [container] = contributes.viewsContainers.activitybar;
    const views = contributes.views[container?.id ?? ""] ?? [];
    const [view] = views;
    expect(views.map(({ id }) => id)).toEqual([MINIONS_VIEW, JOBS_VIEW, CERTIFICATES_VIEW]);
    for (const file of [manifest.icon, container?.icon, view?.icon]) {
      expect(existsSync(file ?? "")).toBe(true);
    }
  });

  it("ships all that the extension loads later", () => {
    const build = readFileSync("scripts/build.mjs", "utf8");
    const later = [...build.matchAll(/^ +"\.\/(\w+\.js)",$/gm)].map(([, file]) => file ?? "");
    expect(later).toContain("overlordClient.js");
    const shipped = readFileSync(".vscodeignore", "utf8").split("\n");
    expect(later.filter((file) => !shipped.includes(`!dist/${file}`))).toEqual([]);
  });
});
