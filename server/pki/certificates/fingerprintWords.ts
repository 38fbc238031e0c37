import { FuncError } from "../../common/errors";

/** 64 bits: who wants another key with the same words has to try 2^63 keys. */
const BYTES = 8;

/** One word a byte, no two alike to eye or ear in their first four letters. The list never changes. */
const WORDS: readonly string[] = (
  "acid acorn actor adult agent alarm album alert amber anchor ankle apple april arena armor " +
  "arrow atlas attic audio autumn bacon badge baker bamboo banana banjo barrel basket beard bell " +
  "bench bicycle bishop blade blanket bonus border bottle boxer bread bridge bronze brush bucket " +
  "budget buffet bugle burger button cabin cactus camel candle canoe canyon carbon cargo carpet " +
  "casino cattle cave cedar cello cement census chalk cheese cherry chess chimney circus citrus " +
  "clock cloud coffee comet copper coral cotton cousin cradle crown cube curtain cymbal daisy " +
  "dancer decade denim desert diamond dinner doctor dolphin domino donut dragon drama drum dune " +
  "dwarf eagle easel echo eclipse elbow elder engine envoy epoch equal escort fabric falcon " +
  "family feather fence ferry fiber fiddle flag flute forest fossil fountain fox frost fudge " +
  "galaxy garden garlic gentle ghost giant ginger glacier glove goblin gospel grape gravel guitar " +
  "gum gypsum habit hammer harbor hazel helmet hermit hill honey hood hotel hunter husky idea " +
  "igloo index insect iron island ivory jacket jaguar jelly jewel jigsaw jockey jungle kayak " +
  "kennel kettle kidney kite koala ladder lagoon lamp lantern lawyer lemon lily lizard lobster " +
  "lotus lunch magnet mango maple marble meadow melon metal midnight mirror monkey mosaic muffin " +
  "museum nail napkin nectar needle nephew night noodle nurse oasis object ocean olive onion " +
  "opera orbit otter oxygen oyster padlock palace panda parrot pebble pepper pigeon pilot planet " +
  "plum poem pony prism puzzle quartz quiver rabbit radar raven ribbon river robot rocket saddle " +
  "salad satin school shovel silver sofa spider tablet temple tiger tulip velvet walnut zebra"
).split(" ");

/** The first 64 bits of a fingerprint (hex) as eight words, for people to compare. */
export function fingerprintWords(fingerprint: string): string {
  const bytes = Buffer.from(fingerprint.slice(0, BYTES * 2), "hex");
  return Array.from(bytes, (byte) => WORDS[byte]).join(" ");
}

/**
 * What was typed for a fingerprint, as hex: the whole of it (64 digits, colons and blanks allowed), or its
 * eight words, which are its beginning. Throws FuncError "bad-argument" that tells what is wrong.
 */
export function parseFingerprint(text: string): string {
  const compact = text.trim().toLowerCase().replace(/[\s:]/g, "");
  if (/^[0-9a-f]{64}$/.test(compact)) return compact;
  const words = text
    .trim()
    .toLowerCase()
    .split(/[\s,-]+/);
  if (words.length !== BYTES) throw wrong("it is neither 64 hex digits nor eight words");
  const bytes = words.map((word) => {
    const byte = WORDS.indexOf(word);
    if (byte >= 0) return byte;
    throw wrong(`"${word.slice(0, 40).replace(/[^\x20-\x7e]/g, "?")}" is none of the words`);
  });
  return Buffer.from(bytes).toString("hex");
}

/** True where `typed`, from `parseFingerprint`, is this fingerprint (hex) or its beginning. */
export function isFingerprint(typed: string, fingerprint: string): boolean {
  return typed.length >= BYTES * 2 && fingerprint.startsWith(typed);
}

function wrong(what: string): FuncError {
  return new FuncError(
    "bad-argument",
    `This is no fingerprint: ${what}.`,
    "Copy it as the other side shows it.",
  );
}
