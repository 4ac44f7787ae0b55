/**
 * What the user should know though nothing failed: said once, by whoever has somebody to say it to.
 *
 * @module
 */

let listener: ((text: string) => void) | undefined;

/** Makes `report` hear every notice of this process. */
export function onNotice(report: (text: string) => void): void {
  listener = report;
}

/**
 * Tells a notice, unless it was told before: `mark` is a file that says so.
 *
 * @param mark In a directory that exists and is the user's own.
 */
export function notice(mark: string, text: string): void {
  if (listener === undefined) return;
  try {
    Deno.writeTextFileSync(mark, text, { createNew: true, mode: 0o600 });
  } catch {
    return;
  }
  listener(text);
}

/** Tells what is being done, each time. */
export function tell(text: string): void {
  listener?.(text);
}
