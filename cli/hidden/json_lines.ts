/**
 * How helpers that do many jobs are talked to: a line of JSON on stdin for each message, one on stdout for each answer.
 *
 * @module
 */

/** The messages, until the input ends. */
export async function* readMessages<Message>(): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of Deno.stdin.readable) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

/** Writes an answer whole, before anything else is done: answers of several jobs do not mix. */
export function writeAnswer(answer: unknown): void {
  let rest = new TextEncoder().encode(JSON.stringify(answer) + "\n");
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
