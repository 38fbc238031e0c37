import { answerAttacks, attackOverlord } from "../fixtures/hostile/answerAttacks";
import { figureTable, type Figure } from "../fixtures/hostile/attack";
import { attackBelowTls, attackWithCertificates } from "../fixtures/hostile/connectionAttacks";
import { FuncdVictim } from "../fixtures/hostile/funcdVictim";
import { OverlordVictim } from "../fixtures/hostile/overlordVictim";
import { attackFuncd, requestAttacks } from "../fixtures/hostile/requestAttacks";

const GOAL_MS = 50;
const GOAL_MEGABYTES = 10;

/** Runs the whole corpus on a real funcd and a real overlord; prints the figures of each item. */
export async function runCorpus(): Promise<boolean> {
  const refused: Figure[] = [];
  const legal: Figure[] = [];
  const funcd = await FuncdVictim.start();
  try {
    refused.push(...(await attackBelowTls(funcd)), ...(await attackWithCertificates(funcd)));
    for (const attack of requestAttacks()) {
      (attack.outcome === "refused" ? refused : legal).push(await attackFuncd(funcd, attack));
    }
  } finally {
    await funcd.close();
  }
  const overlord = await OverlordVictim.start();
  try {
    for (const attack of answerAttacks()) {
      (attack.outcome === "refused" ? refused : legal).push(await attackOverlord(overlord, attack));
    }
  } finally {
    await overlord.close();
  }
  const misses = refused.filter(({ ms, megabytes }) => ms > GOAL_MS || megabytes > GOAL_MEGABYTES);
  process.stdout.write(
    `${figureTable(refused)}\n\nLarge, but legal:\n${figureTable(legal)}\n\n` +
      `${refused.length - misses.length} of ${refused.length} within ${GOAL_MS} ms and ${GOAL_MEGABYTES} MB.\n` +
      (misses.length === 0 ? "" : `${figureTable(misses)}\n`),
  );
  return misses.length === 0;
}
