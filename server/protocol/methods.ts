/** Types of arguments, as the original's `register_method_args` has them (FUNC-SPEC 1.4). */
export type ArgumentType = "int" | "string" | "boolean" | "float" | "hash" | "list" | "list*";

/** What a method can do to a host: look, change something, or interrupt its service. */
export type MethodRisk = "read" | "change" | "disruptive";

/** One argument of a method; drives forms, completion and validation. */
export interface ArgumentDescription {
  name: string;
  type: ArgumentType;
  optional: boolean;
  description: string;
  default?: string | number | boolean | null;
  /** The only values allowed. */
  options?: (string | number)[];
  /** For int and float: inclusive bounds. */
  min?: number;
  max?: number;
  /** For string and list: bounds on the length. */
  minLength?: number;
  maxLength?: number;
  /** A regular expression that the whole string must match. */
  validator?: string;
  /** Never shown, stored or logged. */
  secret?: boolean;
  /** Takes a value of any type; `type` then only says how a form asks for it. */
  untyped?: boolean;
}

export interface MethodDescription {
  name: string;
  description: string;
  /** In order of position; undefined where the minion declares nothing (original modules). */
  args?: ArgumentDescription[];
  /** Undefined for original minions, which declare none. */
  risk?: MethodRisk;
}

export interface ModuleDescription {
  name: string;
  description: string;
  version?: string;
  methods: MethodDescription[];
}
