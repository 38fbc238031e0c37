/** The text of a .d.ts with what the module `entry` (a .ts file) exports, its doc comments included. */
export function clientTypes(entry: string): string;
