import { Turns } from "./turns";

interface HostLine {
  readonly turns: Turns;
  /** How many wait or ask. */
  length: number;
  /** How often it was found away. */
  timesAway: number;
}

/**
 * Questions to hosts: one at a time to each host, and at most so many together. One that hangs keeps nobody waiting but
 * those who ask it, and these only for one question: where it is away, all who stand in its line are told so.
 */
export class HostLines<Answer extends { isAway?: boolean }> {
  private readonly lines = new Map<string, HostLine>();
  private readonly together: Turns;

  constructor(
    most: number,
    /** What those in line are told. */
    private readonly away: Answer,
  ) {
    this.together = new Turns(most);
  }

  /** Rejects as the question does, or with the signal's reason. */
  async ask(host: string, signal: AbortSignal, question: () => Promise<Answer>): Promise<Answer> {
    const line = this.lines.get(host) ?? { turns: new Turns(1), length: 0, timesAway: 0 };
    this.lines.set(host, line);
    const { timesAway } = line;
    line.length++;
    try {
      return await line.turns.take(signal, async () => {
        if (line.timesAway !== timesAway) return this.away;
        const answer = await this.together.take(signal, question);
        if (answer.isAway) line.timesAway++;
        return answer;
      });
    } finally {
      line.length--;
      if (line.length === 0) this.lines.delete(host);
    }
  }
}
