import { FuncError } from "../../common/errors";
import type { Argument } from "./values";

/** A module of the minions, or a method of one: `overlord.MODULE.METHOD(ARGUMENTS)`. */
export interface RemoteName<Reply> {
  /** Calls it as a method. */
  (...args: Argument[]): Promise<Reply>;
  /** A method of this module, or a module inside of it. */
  readonly [name: string]: RemoteName<Reply>;
}

/** A method that is called on all minions of the overlord object. */
export type RemoteMethod<Reply> = (...args: Argument[]) => Promise<Reply>;

/** Names that are asked of any object without calling it: by `await`, by JSON.stringify, by tools that print values. */
const NOT_REMOTE: ReadonlySet<string> = new Set([
  "then",
  "catch",
  "finally",
  "toJSON",
  "asymmetricMatch",
  "nodeType",
  "tagName",
]);
const NAME = /^[A-Za-z_]\w*$/;

/** Calls a method; `name` is its whole path, two names or more. */
export type CallByName<Reply> = (
  module: string,
  method: string,
  args: readonly Argument[],
) => Promise<Reply>;

/** `target` with the minions' modules for all names that it does not have itself. */
export function withModules<T extends object, Reply>(target: T, call: CallByName<Reply>): T {
  return new Proxy(target, {
    get(own, key): unknown {
      if (key in own) {
        const value: unknown = Reflect.get(own, key, own);
        if (typeof value !== "function" || key === "constructor") return value;
        // private members are the object's, not the proxy's
        return (...args: unknown[]): unknown => Reflect.apply(value, own, args) as unknown;
      }
      return isRemote(key) ? remoteName([key], call) : undefined;
    },
    // a mistyped option would be kept without any effect
    set: () => false,
  });
}

function remoteName<Reply>(path: readonly string[], call: CallByName<Reply>): RemoteName<Reply> {
  const node = async (...args: Argument[]): Promise<Reply> => {
    const method = path.at(-1);
    const module = path.slice(0, -1).join(".");
    if (method === undefined || module === "") {
      throw new FuncError(
        "bad-argument",
        `"${path.join(".")}" is no method of this object: minions' methods are called as o.module.method(...).`,
      );
    }
    return call(module, method, args);
  };
  return new Proxy(node as RemoteName<Reply>, {
    get(own, key): unknown {
      if (isRemote(key)) return remoteName([...path, key], call);
      // what any object can be asked for, such as toString
      return typeof key === "symbol" || key in Object.prototype
        ? Reflect.get(own, key, own)
        : undefined;
    },
    set: () => false,
  });
}

function isRemote(key: string | symbol): key is string {
  return (
    typeof key === "string" && NAME.test(key) && !NOT_REMOTE.has(key) && !(key in Object.prototype)
  );
}
