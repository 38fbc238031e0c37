import type { MethodRisk } from "../protocol/methods";

/** What somebody may do, by what methods declare to be able to do. */
export type Preset = "none" | "read-only" | "standard" | "full";

export const PRESETS: readonly Preset[] = ["none", "read-only", "standard", "full"];

const RISKS: Readonly<Record<Exclude<Preset, "full">, ReadonlySet<MethodRisk>>> = {
  none: new Set(),
  "read-only": new Set<MethodRisk>(["read"]),
  standard: new Set<MethodRisk>(["read", "change"]),
};

export function isPreset(text: unknown): text is Preset {
  return PRESETS.some((preset) => preset === text);
}

/** `risk` is undefined for a method that does not exist: only "full" gets to hear that. */
export function presetAllows(preset: Preset, risk: MethodRisk | undefined): boolean {
  return preset === "full" || (risk !== undefined && RISKS[preset].has(risk));
}
