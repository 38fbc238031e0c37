import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerAttacks, attackOverlord } from "../fixtures/hostile/answerAttacks";
import { figureTable, type Figure } from "../fixtures/hostile/attack";
import { OverlordVictim } from "../fixtures/hostile/overlordVictim";

let victim: OverlordVictim;
const figures: Figure[] = [];

beforeAll(async () => {
  victim = await OverlordVictim.start();
});

afterAll(async () => {
  await victim.close();
  process.stdout.write(`${figureTable(figures)}\n`);
});

describe("the overlord, answered by a hostile minion", () => {
  it.each(answerAttacks().map((attack) => ({ name: attack.name, attack })))(
    "$name",
    async ({ attack }) => {
      const figure = await attackOverlord(victim, attack);
      figures.push(figure);
      expect(figure.good).toBe("succeeded");
      if (attack.outcome === "answered") expect(figure.outcome).toBe("succeeded");
      else expect(figure.outcome).toMatch(/evil \(127\.0\.0\.1:\d+\).*The call (may have|has) run/);
    },
  );
});
