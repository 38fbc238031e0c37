/** Nobody takes a shorter wait for the end. */
const WAIT_MS = 5_000;

/** Says once what is waited for, where the answer takes longer than some seconds. Settles as the answer does. */
export async function withWaitNote<Answer>(
  answer: Promise<Answer>,
  note: (text: string) => void,
  what: string,
): Promise<Answer> {
  const timer = setTimeout(() => {
    note(`func: waiting for ${what} ...\n`);
  }, WAIT_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
