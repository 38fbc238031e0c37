import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packProbe } from "./probeExtension";
import { waitUntil } from "./processes";
import type { Workbench } from "./workbench";

/** How the extension host fared between the start and the end of a profile, all in milliseconds. */
export interface HostProfile {
  /** Delay of its event loop. */
  loopP50: number;
  loopP99: number;
  loopMax: number;
  /** The longest stretches without a pause in which our code was on the stack, longest first. */
  ourTasks: number[];
  /** Where our code spent its time: "milliseconds function < caller", most first. */
  ours: string[];
  heapMB: number;
}

const START = "Start a Profile of the Extension Host";
const END = "End the Profile of the Extension Host";

/** Packs, in `folder`, an extension that profiles the process which it shares with ours. */
export function packHostProfiler(folder: string): Promise<string> {
  const commands = [
    { command: "probe.startProfile", title: START },
    { command: "probe.endProfile", title: END },
  ];
  const main = `const answer = ${JSON.stringify(answerIn(folder))};\n${MAIN}`;
  return packProbe(folder, { name: "host-profiler", commands, main });
}

export async function startHostProfile(workbench: Workbench): Promise<void> {
  await workbench.palette(`Probe: ${START}`);
}

/** `folder` is where the profiler was packed. */
export async function endHostProfile(workbench: Workbench, folder: string): Promise<HostProfile> {
  const answer = answerIn(folder);
  rmSync(answer, { force: true });
  await workbench.palette(`Probe: ${END}`);
  let profile: HostProfile | undefined;
  await waitUntil("the profile", () => (profile = read(answer)) !== undefined, 60_000);
  if (!profile) throw new Error("The profile is gone");
  return profile;
}

function answerIn(folder: string): string {
  return join(folder, "profile.json");
}

function read(file: string): HostProfile | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as HostProfile;
  } catch {
    return undefined; // not there yet, or half of it
  }
}

const MAIN = `
const { commands } = require("vscode");
const { Session } = require("node:inspector/promises");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { writeFileSync } = require("node:fs");

const OURS = /func-overlord[^/]*\\/dist\\//;
const ms = (ns) => Math.round(ns / 1e5) / 10;
let session, loop;

async function start() {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 1000 });
  loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  await session.post("Profiler.start");
}

async function end() {
  const { profile } = await session.post("Profiler.stop");
  loop.disable();
  session.disconnect();
  const tasks = ourTasks(profile).sort((a, b) => b.us - a.us);
  return {
    loopP50: ms(loop.percentile(50)),
    loopP99: ms(loop.percentile(99)),
    loopMax: ms(loop.max),
    ourTasks: tasks.slice(0, 5).map(({ us }) => Math.round(us / 100) / 10),
    ours: mostUsed(profile),
    heapMB: Math.round(process.memoryUsage().heapUsed / 1e6),
  };
}

/** The stack of each node of a profile, innermost first. */
function stacks({ nodes }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children || []).map((child) => [child, node.id])));
  return new Map(nodes.map(({ id }) => {
    const stack = [];
    for (let at = id; at !== undefined; at = parents.get(at)) stack.push(byId.get(at).callFrame);
    return [id, stack];
  }));
}

const isOurs = (stack) => stack.some(({ url }) => OURS.test(url));

function mostUsed(profile) {
  const stackOf = stacks(profile);
  const sums = new Map();
  profile.samples.forEach((id, index) => {
    const stack = stackOf.get(id);
    if (!isOurs(stack)) return;
    const at = stack.slice(0, 6).map(({ functionName }) => functionName || "?").join(" < ");
    sums.set(at, (sums.get(at) ?? 0) + (profile.timeDeltas[index + 1] ?? 0));
  });
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 25)
    .map(([at, us]) => Math.round(us / 1000) + " " + at);
}

function ourTasks(profile) {
  const { nodes, samples, timeDeltas } = profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stackOf = stacks(profile);
  const ours = new Map(nodes.map(({ id }) => [id, isOurs(stackOf.get(id))]));
  const idle = (id) => ["(idle)", "(program)"].includes(byId.get(id).callFrame.functionName);
  const tasks = [];
  let us = 0;
  samples.forEach((id, index) => {
    if (idle(id)) {
      if (us > 0) tasks.push({ us });
      us = 0;
      return;
    }
    if (!ours.get(id)) return;
    us += timeDeltas[index + 1] ?? 0;
  });
  if (us > 0) tasks.push({ us });
  return tasks;
}

exports.activate = (context) => {
  context.subscriptions.push(
    commands.registerCommand("probe.startProfile", start),
    commands.registerCommand("probe.endProfile", async () => {
      writeFileSync(answer, JSON.stringify(await end()));
    }),
  );
};
`;
