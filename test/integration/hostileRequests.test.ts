import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { figureTable, type Figure } from "../fixtures/hostile/attack";
import { FuncdVictim } from "../fixtures/hostile/funcdVictim";
import { attackFuncd, requestAttacks } from "../fixtures/hostile/requestAttacks";

let victim: FuncdVictim;
const figures: Figure[] = [];

beforeAll(async () => {
  victim = await FuncdVictim.start();
});

afterAll(async () => {
  await victim.close();
  process.stdout.write(`${figureTable(figures)}\n`);
});

describe("funcd, asked by a hostile overlord", () => {
  it.each(requestAttacks().map((attack) => ({ name: attack.name, attack })))(
    "$name",
    async ({ attack }) => {
      const [figure, answer] = await Promise.all([
        attackFuncd(victim, attack),
        victim.client.call(victim.peer, "test.ping", [], { timeoutMs: 20_000 }),
      ]);
      figures.push(figure);
      expect(answer).toBe(1);
      expect(victim.isAlive).toBe(true);
      if (attack.outcome === "answered") expect(figure.outcome).toBe("answered");
      else expect(figure.outcome).toMatch(/^(status 4|fault: |closed)/);
    },
  );
});
