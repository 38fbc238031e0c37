import { Turns } from "./turns";

/** To one host that answers. */
const MOST_AT_A_HOST = 16;

interface HostLine {
  /** To who has not answered yet goes one question. */
  readonly first: Turns;
  readonly turns: Turns;
  /** How many wait or ask. */
  length: number;
  /** Whether the last question was answered. */
  answers: boolean;
  /** How often it was found away. */
  timesAway: number;
}

/**
 * Questions to hosts, at most so many together. A host that hangs keeps nobody waiting but those who ask it, and these
 * only for one question: where it is away, all who stand in its line are told so.
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
    const line = this.lines.get(host) ?? newLine();
    this.lines.set(host, line);
    const { timesAway } = line;
    line.length++;
    const next = async (): Promise<Answer> => {
      if (line.timesAway !== timesAway) return this.away;
      const answer = await this.together.take(signal, question);
      line.answers = answer.isAway !== true;
      if (!line.answers) line.timesAway++;
      return answer;
    };
    try {
      const first = await line.first.take(signal, async () => (line.answers ? undefined : next()));
      return first ?? (await line.turns.take(signal, next));
    } finally {
      line.length--;
      if (line.length === 0) this.lines.delete(host);
    }
  }
}

function newLine(): HostLine {
  const first = new Turns(1);
  return { first, turns: new Turns(MOST_AT_A_HOST), length: 0, answers: false, timesAway: 0 };
}
