import { quote } from "./hosts/shellQuote";

/** A text as it is to be typed in a command that people copy: quoted only where it has to be. */
export function shellWord(text: string): string {
  return /^[\w.@%+=:,/-]+$/.test(text) ? text : quote(text);
}
