import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { withModules, type RemoteName } from "../../server/client/library/modules";
import type { Argument } from "../../server/client/library/values";

class Target {
  #secret = 42;
  own = "own";
  secret(): number {
    return this.#secret;
  }
}

interface Call {
  module: string;
  method: string;
  args: readonly Argument[];
}

function proxy(): Target & { readonly [module: string]: RemoteName<Call> } {
  const target = withModules(new Target(), (module, method, args) =>
    Promise.resolve({ module, method, args }),
  );
  return target as Target & { readonly [module: string]: RemoteName<Call> };
}

describe("an object with the minions' modules", () => {
  it("calls by name, with dots in modules", async () => {
    const o = proxy();
    expect(await o["module_name"]?.["method_name"]?.(1, 2, 3, 4)).toEqual({
      module: "module_name",
      method: "method_name",
      args: [1, 2, 3, 4],
    });
    expect(await o["netapp"]?.["vol"]?.["clone"]?.["list"]?.()).toMatchObject({
      module: "netapp.vol.clone",
      method: "list",
    });
  });

  it("takes names that functions have for methods", async () => {
    const o = proxy();
    for (const name of ["name", "length", "call", "apply", "bind", "prototype", "arguments"]) {
      expect(await o["m"]?.[name]?.()).toMatchObject({ module: "m", method: name });
    }
  });

  it("has its own members, private ones too", () => {
    const o = proxy();
    expect(o.own).toBe("own");
    const secret = Reflect.get(o, "secret");
    expect(secret()).toBe(42);
    expect(o).toBeInstanceOf(Target);
  });

  it("is awaited, printed and compared without any call", async () => {
    const calls: string[] = [];
    const o = withModules(new Target(), (module, method) => {
      calls.push(`${module}.${method}`);
      return Promise.resolve(0);
    }) as Target & { readonly [module: string]: RemoteName<number> };
    expect(await Promise.resolve(o)).toBe(o);
    const module = o["command"];
    expect(await Promise.resolve(module)).toBe(module);
    expect(await Promise.resolve(module?.["run"])).toBeTypeOf("function");
    expect(JSON.stringify(o)).toBe('{"own":"own"}');
    expect(JSON.stringify({ module })).toBe("{}");
    expect(String(module)).toContain("native code");
    expect(Reflect.apply(String, undefined, [o])).toBe("[object Object]");
    expect(inspect(o)).toContain("own");
    expect(inspect(module)).toContain("Function");
    expect(Object.keys(o)).toEqual(["own"]);
    expect([...Object.entries(o)]).toHaveLength(1);
    for (const name of ["then", "catch", "finally", "toJSON", "a-b", "0", ""]) {
      expect(o[name]).toBeUndefined();
      expect(module?.[name]).toBeUndefined();
    }
    expect(calls).toEqual([]);
  });

  it("refuses a module as a method, and what would be kept without effect", async () => {
    const o = proxy();
    await expect(o["command"]?.("ls")).rejects.toMatchObject({
      reason: "bad-argument",
      message: expect.stringContaining('"command" is no method') as string,
    });
    expect(() => Object.assign(o, { nforks: 5 })).toThrow(TypeError);
  });
});
